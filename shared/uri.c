#include "shared/uri.h"

#include <stdio.h>
#include <string.h>

#include "shared/address.h"
#include "shared/error.h"

/* Where `c` stands in `b`, or its size. */
static size_t place_of(struct bytes b, char c)
{
	const uint8_t *found = b.size > 0 ? memchr(b.data, c, b.size) : NULL;

	return found ? (size_t)(found - b.data) : b.size;
}

/* Takes what stands before `c` off the front, and `c` itself. */
static struct bytes cut(struct bytes *rest, size_t at)
{
	struct bytes front = bytes_of(rest->data, at);
	size_t gone = at < rest->size ? at + 1 : at;

	*rest = bytes_of(rest->data + gone, rest->size - gone);
	return front;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int parse_port(struct bytes text, uint16_t *port)
{
	unsigned sum = 0;

	if (text.size == 0 || text.size > 5 || text.data[0] == '0')
		return ERR_FORMAT;
	for (size_t i = 0; i < text.size; i++) {
		if (!is_digit(text.data[i]))
			return ERR_FORMAT;
		sum = sum * 10 + (text.data[i] - '0');
	}
	if (sum > UINT16_MAX)
		return ERR_FORMAT;
	*port = (uint16_t)sum;
	return 0;
}

/* Labels of letters, digits and hyphens, none empty, no hyphen at an end (RFC 1123 section
 * 2.1); a host of digits and dots only must be an address. */
static bool is_host_name(const char *host)
{
	bool has_letter = false;
	char before = '.';

	for (const char *p = host;; p++) {
		bool is_end = *p == '.' || *p == '\0';

		if (is_end && (before == '.' || before == '-'))
			return false;
		if (*p == '\0')
			return has_letter;
		if (!is_end && *p != '-' && !is_letter((uint8_t)*p) && !is_digit((uint8_t)*p))
			return false;
		if (*p == '-' && before == '.')
			return false;
		has_letter |= is_letter((uint8_t)*p) || *p == '-';
		before = *p;
	}
}

static bool is_address(const char *host)
{
	struct address a;

	return !strchr(host, '%') && address_parse(&a, host, DIRECTORY_PORT) == 0;
}

/* "HOST", "HOST:PORT", "[V6]", "[V6]:PORT": the host, and whether `port` follows it. */
static int split_place(struct bytes text, struct bytes *host, bool *has_port,
		       struct bytes *port)
{
	bool is_bracketed = text.size > 0 && text.data[0] == '[';

	if (is_bracketed) {
		cut(&text, 0);
		if (place_of(text, ']') == text.size)
			return ERR_FORMAT;
		*host = cut(&text, place_of(text, ']'));
		if (place_of(*host, ':') == host->size ||
		    (text.size > 0 && text.data[0] != ':'))
			return ERR_FORMAT;
	} else {
		*host = bytes_of(text.data, place_of(text, ':'));
		text = bytes_of(text.data + host->size, text.size - host->size);
	}
	*has_port = text.size > 0;
	if (*has_port)
		cut(&text, 0);
	*port = text;
	return 0;
}

static int parse_place(struct directory_place *place, struct bytes text)
{
	struct directory_place parsed = { .port = DIRECTORY_PORT };
	struct bytes host, port;
	bool has_port;

	if (split_place(text, &host, &has_port, &port) < 0)
		return ERR_FORMAT;
	if (has_port && parse_port(port, &parsed.port) < 0)
		return ERR_FORMAT;
	if (host.size > URI_HOST_MAX)
		return ERR_LIMIT;
	for (size_t i = 0; i < host.size; i++) {
		uint8_t c = host.data[i];

		parsed.host[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	if (!is_host_name(parsed.host) && !is_address(parsed.host))
		return ERR_FORMAT;
	*place = parsed;
	return 0;
}

int place_parse(struct directory_place *place, const char *text)
{
	size_t length = strnlen(text, URI_MAX + 1);

	return length > URI_MAX ? ERR_LIMIT : parse_place(place, bytes_of(text, length));
}

int place_address(const struct directory_place *place, struct address *out)
{
	char text[URI_HOST_MAX + 3];

	snprintf(text, sizeof text, strchr(place->host, ':') ? "[%s]" : "%s", place->host);
	return address_parse(out, text, place->port);
}

void place_print(const struct directory_place *place, char out[URI_HOST_MAX + 9])
{
	bool is_v6 = strchr(place->host, ':') != NULL;
	char port[7] = "";

	if (place->port != DIRECTORY_PORT)
		snprintf(port, sizeof port, ":%u", place->port);
	snprintf(out, URI_HOST_MAX + 9, is_v6 ? "[%s]%s" : "%s%s", place->host, port);
}

/* "k=KEY" or "i=IDENTITY", each where it belongs. */
static int parse_query(struct uri *uri, struct bytes query)
{
	bool is_contact = uri->kind == URI_CONTACT;
	uint8_t *key = is_contact ? uri->identity.bytes : uri->directory_key.bytes;
	const char *text = (const char *)query.data;

	if (query.size < 2 || text[0] != (is_contact ? 'i' : 'k') || text[1] != '=')
		return ERR_FORMAT;
	*(is_contact ? &uri->has_identity : &uri->has_directory_key) = true;
	return bytes_from_base64(text + 2, query.size - 2, key, 32);
}

static int parse_code(struct uri *uri, struct bytes path)
{
	bool is_reset;

	if (path.size < 3 || (path.data[0] != 'i' && path.data[0] != 'r') ||
	    path.data[1] != '/')
		return ERR_FORMAT;
	is_reset = path.data[0] == 'r';
	cut(&path, 1);
	if (path.size > URI_CODE_MAX)
		return ERR_LIMIT;
	for (size_t i = 0; i < path.size; i++) {
		uint8_t c = path.data[i];

		if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_')
			return ERR_FORMAT;
	}
	memcpy(uri->code, path.data, path.size);
	uri->kind = is_reset ? URI_RESET : URI_INVITATION;
	return 0;
}

int uri_parse(struct uri *uri, const char *text)
{
	static const char scheme[] = "palique:";
	struct uri parsed = { 0 };
	size_t length = strnlen(text, URI_MAX + 1), at;
	struct bytes rest = bytes_of(text, length), front;
	bool has_query;
	int err;

	if (length > URI_MAX)
		return ERR_LIMIT;
	if (length >= sizeof scheme - 1 && strncasecmp(text, scheme, sizeof scheme - 1) == 0)
		rest = bytes_of(rest.data + sizeof scheme - 1, rest.size - (sizeof scheme - 1));

	at = place_of(rest, '?');
	has_query = at < rest.size;
	front = cut(&rest, at);

	at = place_of(front, '@');
	if (at < front.size) {
		parsed.kind = URI_CONTACT;
		err = name_parse(&parsed.name, cut(&front, at));
		if (err < 0)
			return err;
	}
	at = place_of(front, '/');
	if (at < front.size) {
		struct bytes path = front;

		front = cut(&path, at);
		err = parsed.kind == URI_CONTACT ? ERR_FORMAT : parse_code(&parsed, path);
		if (err < 0)
			return err;
	}
	err = parse_place(&parsed.place, front);
	if (err == 0 && has_query)
		err = parse_query(&parsed, rest);
	if (err == 0)
		*uri = parsed;
	return err;
}

int uri_print(const struct uri *uri, char out[URI_MAX + 1])
{
	char place[URI_HOST_MAX + 9], key[BYTES_BASE64_SIZE(32)] = "";
	bool is_contact = uri->kind == URI_CONTACT;
	const char *path = uri->kind == URI_INVITATION ? "/i/"
			   : uri->kind == URI_RESET    ? "/r/"
						       : "";
	bool has_key = is_contact ? uri->has_identity : uri->has_directory_key;
	int size;

	place_print(&uri->place, place);
	if (has_key)
		bytes_to_base64(is_contact ? BYTES(uri->identity.bytes)
					   : BYTES(uri->directory_key.bytes),
				key);
	size = snprintf(out, URI_MAX + 1, "palique:%s%s%s%s%s%s%s",
			is_contact ? uri->name.text : "", is_contact ? "@" : "", place, path,
			path[0] ? uri->code : "",
			!has_key     ? ""
			: is_contact ? "?i="
				     : "?k=",
			key);
	if (size <= URI_MAX)
		return 0;
	out[0] = '\0';
	return ERR_LIMIT;
}
