#include "peer/upnp_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"

enum { WORD_MAX = JOB_URL_MAX };

/* --- numbers and words --- */

/* Decimal, nothing before or behind it. ERR_FORMAT, ERR_LIMIT. */
static int parse_number(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!*text)
		return ERR_FORMAT;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return ERR_FORMAT;
		v = v * 10 + (uint64_t)(*text - '0');
		if (v > max)
			return ERR_LIMIT;
	}
	*out = v;
	return 0;
}

static bool is_printable(const char *text, bool may_have_spaces)
{
	for (; *text; text++)
		if (*text < (may_have_spaces ? ' ' : '!') || *text > '~')
			return false;
	return true;
}

/* An address of v4; port 0 where it has none. */
static int parse_address(const char *text, struct address *out)
{
	bool has_port = strchr(text, ':') != NULL;
	int err = address_parse(out, text, has_port ? 0 : 1);

	if (err < 0 || out->family != 4)
		return ERR_FORMAT;
	if (!has_port)
		out->port = 0;
	return 0;
}

void upnp_print_ip(const struct address *a, char *out, size_t size)
{
	snprintf(out, size, "%u.%u.%u.%u", a->ip[0], a->ip[1], a->ip[2], a->ip[3]);
}

static int parse_url(const char *text, char out[JOB_URL_MAX + 1])
{
	struct address at;

	memset(out, 0, JOB_URL_MAX + 1);
	if (strcmp(text, "-") == 0)
		return 0;
	if (strlen(text) > JOB_URL_MAX || !is_printable(text, false) ||
	    upnp_url_at(text, &at) < 0)
		return ERR_FORMAT;
	memcpy(out, text, strlen(text));
	return 0;
}

/* --- the question --- */

void upnp_question_print(const struct job *job, char out[UPNP_ARGUMENTS][UPNP_ARGUMENT_SIZE])
{
	bool has_outer = job->address_count > 2;

	snprintf(out[0], UPNP_ARGUMENT_SIZE, "palique");
	snprintf(out[1], UPNP_ARGUMENT_SIZE, "%s", UPNP_COMMAND);
	snprintf(out[2], UPNP_ARGUMENT_SIZE, "%s", job->is_removal ? "remove" : "map");
	upnp_print_ip(&job->addresses[0], out[3], UPNP_ARGUMENT_SIZE);
	upnp_print_ip(&job->addresses[1], out[4], UPNP_ARGUMENT_SIZE);
	snprintf(out[5], UPNP_ARGUMENT_SIZE, "%u", job->port);
	snprintf(out[6], UPNP_ARGUMENT_SIZE, "%u", has_outer ? job->addresses[2].port : 0);
	snprintf(out[7], UPNP_ARGUMENT_SIZE, "%u", job->life);
	snprintf(out[8], UPNP_ARGUMENT_SIZE, "%s", job->url[0] ? job->url : "-");
}

int upnp_question_parse(struct job *job, int argc, char *const *argv)
{
	uint64_t port, outer_port, life;
	struct job j = { .kind = JOB_UPNP, .address_count = 3 };

	if (argc != UPNP_ARGUMENTS || strcmp(argv[1], UPNP_COMMAND) != 0)
		return ERR_FORMAT;
	j.is_removal = strcmp(argv[2], "remove") == 0;
	if ((!j.is_removal && strcmp(argv[2], "map") != 0) ||
	    parse_address(argv[3], &j.addresses[0]) < 0 ||
	    parse_address(argv[4], &j.addresses[1]) < 0 ||
	    parse_number(argv[5], UINT16_MAX, &port) < 0 || port == 0 ||
	    parse_number(argv[6], UINT16_MAX, &outer_port) < 0 ||
	    parse_number(argv[7], UINT32_MAX, &life) < 0 || parse_url(argv[8], j.url) < 0)
		return ERR_FORMAT;
	j.port = (uint16_t)port;
	j.addresses[2].family = 4;
	j.addresses[2].port = outer_port ? (uint16_t)outer_port : j.port;
	j.life = (uint32_t)life;
	*job = j;
	return 0;
}

/* --- the answer --- */

static const char *or_dash(const char *text)
{
	return *text ? text : "-";
}

void upnp_line_print(const struct job *job, char out[UPNP_LINE_MAX])
{
	char outer[ADDRESS_TEXT_SIZE] = "-";
	int size;

	if (job->err == 0 && !job->is_removal)
		address_print(&job->addresses[0], outer);
	size = snprintf(out, UPNP_LINE_MAX, "%d %d %u %s %s %s\n", -job->err, job->code,
			job->err == 0 ? job->life : 0, outer, or_dash(job->url), job->router);
	if (size >= UPNP_LINE_MAX) /* no field is long enough */
		abort();
}

/* Copies what is before the next space; false: too long, or no space comes. */
static bool next_word(struct bytes *line, char out[WORD_MAX + 1])
{
	const uint8_t *space = line->size ? memchr(line->data, ' ', line->size) : NULL;
	size_t size = space ? (size_t)(space - line->data) : 0;

	if (!space || size > WORD_MAX)
		return false;
	memcpy(out, line->data, size);
	out[size] = '\0';
	line->data = space + 1;
	line->size -= size + 1;
	return memchr(out, 0, size) == NULL;
}

int upnp_line_parse(struct job *job, struct bytes line)
{
	char err[WORD_MAX + 1], code[WORD_MAX + 1], life[WORD_MAX + 1];
	char outer[WORD_MAX + 1], url[WORD_MAX + 1], router[JOB_ROUTER_MAX + 1] = "";
	uint64_t err_number, code_number, life_number;
	struct job j = *job;

	if (line.size >= UPNP_LINE_MAX || !next_word(&line, err) || !next_word(&line, code) ||
	    !next_word(&line, life) || !next_word(&line, outer) || !next_word(&line, url) ||
	    line.size > JOB_ROUTER_MAX)
		return ERR_FORMAT;
	if (line.size > 0)
		memcpy(router, line.data, line.size);
	if (strlen(router) != line.size || !is_printable(router, true) ||
	    parse_number(err, (uint64_t)-ERR_LAST - 1, &err_number) < 0 ||
	    parse_number(code, UINT16_MAX, &code_number) < 0 ||
	    parse_number(life, UINT32_MAX, &life_number) < 0 || parse_url(url, j.url) < 0)
		return ERR_FORMAT;
	j.address_count = 0;
	if (err_number == 0 && !j.is_removal) {
		if (parse_address(outer, &j.addresses[0]) < 0 ||
		    !address_is_unicast(&j.addresses[0]))
			return ERR_FORMAT;
		j.address_count = 1;
	} else if (strcmp(outer, "-") != 0) {
		return ERR_FORMAT;
	}
	j.err = -(int)err_number;
	j.code = (int)code_number;
	j.life = (uint32_t)life_number;
	memcpy(j.router, router, sizeof j.router);
	*job = j;
	return 0;
}

/* --- whose URL --- */

int upnp_url_at(const char *url, struct address *at)
{
	static const char scheme[] = "http://";
	char place[sizeof "255.255.255.255:65535"];
	size_t size;

	if (strncmp(url, scheme, sizeof scheme - 1) != 0)
		return ERR_FORMAT;
	url += sizeof scheme - 1;
	/* Nothing but an address and a port: whoever reads it otherwise reads the same. */
	size = strspn(url, "0123456789.:");
	if (size >= sizeof place || url[size] != '/')
		return ERR_FORMAT;
	memcpy(place, url, size);
	place[size] = '\0';
	if (address_parse(at, place, 80) < 0 || at->family != 4 || at->port == 0)
		return ERR_FORMAT;
	return 0;
}

bool upnp_is_near(const struct address *gateway, const struct address *at)
{
	struct address here = address_prefix(gateway), there = address_prefix(at);

	return gateway->family == at->family && address_same_ip(&here, &there);
}
