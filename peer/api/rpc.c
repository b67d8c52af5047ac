#include "peer/api/rpc.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "peer/api/explain.h"
#include "shared/error.h"
#include "shared/text.h"

/* JSON-RPC 2.0 section 5.1; a failure of ours is API_FAILED + its (negative) number. */
enum rpc_code {
	RPC_PARSE = -32700,
	RPC_INVALID = -32600,
	RPC_NO_METHOD = -32601,
	RPC_PARAMS = -32602,
	API_FAILED = -32000,
};

enum { SHOWN_MAX = 64 }; /* bytes of a face's own words repeated in an error */

/* --- answers --- */

/* The same around every answer and notification: as text, for of a message on its way this would be a tenth
 * of the work. */
static void print_member(struct buf *out, const char *beginning, const struct json *value)
{
	buf_append(out, bytes_text(beginning));
	if (value)
		json_print_to(value, out);
	else
		buf_append(out, bytes_text("null"));
}

static void print_answer(struct buf *out, const struct json *id, const char *beginning,
			 const struct json *value)
{
	print_member(out, "{\"jsonrpc\":\"2.0\",\"id\":", id);
	print_member(out, beginning, value);
	buf_append_byte(out, '}');
}

static void print_error(struct buf *out, const struct json *id, int code, const char *message,
			const char *kind, const char *hint)
{
	struct json *data = json_set_text(json_object(), "kind", kind);
	struct json *error = json_set_int(json_object(), "code", code);

	json_set_text(data, "hint", hint);
	json_set_text(error, "message", message);
	json_set(error, "data", data);
	print_answer(out, id, ",\"error\":", error);
	json_free(error);
}

bool rpc_refusal(struct buf *out, const struct rpc_request *r)
{
	if (!r->id && r->code != RPC_PARSE && r->code != RPC_INVALID)
		return false;
	print_error(out, r->id, r->code, r->reason, "request", "palique rpc --help");
	return true;
}

void rpc_answer(struct buf *out, const struct json *id, const struct method *method,
		const struct call *call, int err)
{
	char message[512], hint[256];

	if (err >= 0) {
		print_answer(out, id, ",\"result\":", call->result);
		return;
	}
	explain(method->name, err, call->subject, message, sizeof message, hint, sizeof hint);
	print_error(out, id, API_FAILED + err, call->reason[0] ? call->reason : message,
		    error_name(err), call->hint[0] ? call->hint : hint);
}

void rpc_notification(struct buf *out, const char *method, const struct json *params)
{
	buf_append(out, bytes_text("{\"jsonrpc\":\"2.0\",\"method\":\""));
	buf_append(out, bytes_text(method)); /* of ours: nothing in it is escaped */
	print_member(out, "\",\"params\":", params);
	buf_append_byte(out, '}');
}

/* --- one request --- */

static bool list_fits(const struct param *p, const struct json *list)
{
	bool fits = list && json_is_array(list) && json_count(list) <= (size_t)p->min;

	for (size_t i = 0; fits && i < json_count(list); i++) {
		const char *text = json_text_at(list, i);

		fits = text && strlen(text) <= (size_t)p->max;
	}
	return fits;
}

static size_t text_limit(const struct param *p)
{
	return p->max ? (size_t)p->max : 1024;
}

static bool param_fits(const struct param *p, const struct json *params)
{
	uint64_t id;
	const char *text = json_text(params, p->name);

	switch (p->kind) {
	case PARAM_TEXT:
	case PARAM_SECRET:
		return text && strlen(text) <= text_limit(p);
	case PARAM_LIST:
		return list_fits(p, json_get(params, p->name));
	case PARAM_ID:
		return json_id(params, p->name, &id) == 0;
	case PARAM_INT:
		return json_int(params, p->name, p->min) == json_int(params, p->name, p->max) &&
		       json_int(params, p->name, p->min) >= p->min &&
		       json_int(params, p->name, p->max) <= p->max;
	case PARAM_BOOL:
		return json_bool(params, p->name, false) == json_bool(params, p->name, true);
	}
	return false;
}

static const struct param *find_param(const struct method *method, const char *name)
{
	for (unsigned i = 0; i < METHOD_PARAMS_MAX && method->params[i].name; i++)
		if (!strcmp(method->params[i].name, name))
			return &method->params[i];
	return NULL;
}

static void say_unfit(const struct method *method, const struct param *p,
		      const struct json *params, char *reason, size_t size)
{
	static const char *const wanted[] = {
		[PARAM_TEXT] = N_("text"),
		[PARAM_SECRET] = N_("text"),
		[PARAM_ID] = N_("an id: a string of digits"),
		[PARAM_INT] = N_("a whole number in its range"),
		[PARAM_BOOL] = N_("true or false"),
		[PARAM_LIST] = N_("a list of texts within its limits"),
	};

	if ((p->kind == PARAM_TEXT || p->kind == PARAM_SECRET) && json_text(params, p->name))
		snprintf(reason, size,
			 _("too long: the parameter \"%s\" of %s has up to %zu bytes"), p->name,
			 method->name, text_limit(p));
	else
		snprintf(reason, size, _("the parameter \"%s\" of %s must be %s"), p->name,
			 method->name, _(wanted[p->kind]));
}

/* Unknown, missing and ill-typed parameters are refused by name. */
static bool params_fit(const struct method *method, const struct json *params, char *reason,
		       size_t size)
{
	const struct json *value;
	const char *key;
	void *it = NULL;

	while ((key = json_each(params, &it, &value)) != NULL) {
		const struct param *p = find_param(method, key);
		if (!p) {
			snprintf(reason, size, _("%s has no parameter \"%.*s\""), method->name,
				 SHOWN_MAX, key);
			return false;
		}
		if (!param_fits(p, params)) {
			say_unfit(method, p, params, reason, size);
			return false;
		}
	}
	for (unsigned i = 0; i < METHOD_PARAMS_MAX && method->params[i].name; i++) {
		if (!method->params[i].is_required || json_has(params, method->params[i].name))
			continue;
		snprintf(reason, size, _("%s needs the parameter \"%s\""), method->name,
			 method->params[i].name);
		return false;
	}
	return true;
}

/* An id is text or a whole number; null is what an error without one carries. */
static bool id_fits(const struct json *request)
{
	return json_text(request, "id") ||
	       json_int(request, "id", 0) == json_int(request, "id", 1);
}

static int refuse(struct rpc_request *r, int code, const char *reason)
{
	r->code = code;
	snprintf(r->reason, sizeof r->reason, "%s", reason);
	return ERR_FORMAT;
}

int rpc_parse(struct rpc_request *r, struct bytes line)
{
	const char *name, *version;

	memset(r, 0, sizeof *r);
	if (json_parse(&r->object, line) < 0)
		return refuse(r, RPC_PARSE, _("this line is not JSON"));
	if (json_is_array(r->object))
		return refuse(r, RPC_INVALID,
			      _("batches are not taken: send one request per line"));
	if (json_has(r->object, "id") && !id_fits(r->object))
		return refuse(r, RPC_INVALID, _("the id must be text or a whole number"));
	r->id = json_get(r->object, "id");
	version = json_text(r->object, "jsonrpc");
	name = json_text(r->object, "method");
	if (!version || strcmp(version, "2.0") || !name)
		return refuse(r, RPC_INVALID,
			      _("a request needs \"jsonrpc\":\"2.0\" and a \"method\""));
	r->method = method_find(name);
	if (!r->method) {
		r->code = RPC_NO_METHOD;
		snprintf(r->reason, sizeof r->reason, _("there is no method \"%.*s\""),
			 SHOWN_MAX, name);
		return ERR_NOT_FOUND;
	}
	r->params = json_get(r->object, "params");
	if (!r->params)
		r->params = r->no_params = json_object();
	if (!json_is_object(r->params))
		return refuse(r, RPC_PARAMS, _("\"params\" must be an object"));
	r->code = RPC_PARAMS;
	return params_fit(r->method, r->params, r->reason, sizeof r->reason) ? 0 : ERR_FORMAT;
}

void rpc_clear(struct rpc_request *r)
{
	for (unsigned i = 0; r->method && i < METHOD_PARAMS_MAX && r->method->params[i].name;
	     i++) {
		const char *text = json_text(r->params, r->method->params[i].name);

		if (r->method->params[i].kind == PARAM_SECRET && text)
			sodium_memzero((char *)text, strlen(text));
	}
	json_free(r->no_params);
	json_free(r->object);
}
