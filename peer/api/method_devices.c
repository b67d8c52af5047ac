#include "peer/api/method_devices.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "peer/api/notify.h"
#include "peer/api/who.h"
#include "shared/error.h"
#include "shared/text.h"

/* --- devices --- */

int method_devices(struct call *call)
{
	json_set(call->result, "devices", notify_devices(call->engine));
	return 0;
}

/* The key in the parameter `device`, and what its owner calls it for the hint of an error. */
static int parse_device(struct call *call, struct device_public *device)
{
	const char *id = call_about(call, "device");
	const struct listed_device *listed;
	int err = who_needs_directory(call);

	if (err < 0)
		return err;
	if (strlen(id) != BYTES_BASE64_SIZE(sizeof device->bytes) - 1 ||
	    bytes_from_base64(id, strlen(id), device->bytes, sizeof device->bytes) < 0) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("this is not the id of a device"));
		return ERR_FORMAT;
	}
	listed = device_list_find(engine_devices(call->engine), device);
	if (listed && listed->label[0])
		snprintf(call->subject, sizeof call->subject, "%s", listed->label);
	return 0;
}

int method_name_device(struct call *call)
{
	struct device_public device;
	int err = parse_device(call, &device);

	if (err < 0)
		return err;
	err = engine_name_device(call->engine, &device, call_text(call, "name"), call->ticket);
	if (err == ERR_FORMAT)
		snprintf(call->reason, sizeof call->reason,
			 _("the name of a device has 1 to %d letters; accented ones count "
			   "twice"),
			 CERTIFICATE_LABEL_MAX);
	return err < 0 ? err : API_LATER;
}

int method_revoke_device(struct call *call)
{
	struct device_public device;
	int err = parse_device(call, &device);

	if (err < 0)
		return err;
	err = engine_revoke_device(call->engine, &device, call->ticket);
	return err < 0 ? err : API_LATER;
}

int method_finish_devices(struct call *call, const struct event *answer)
{
	(void)answer;
	return method_devices(call);
}

/* --- the recovery code --- */

int method_recovery(struct call *call)
{
	int err = who_needs_directory(call);

	if (err == 0)
		err = engine_recovery(call->engine, &call->code, call->ticket);
	return err < 0 ? err : API_LATER;
}

/* In the language of the face: it is for a person to write down. */
int method_finish_recovery(struct call *call, const struct event *answer)
{
	const char *language = strcmp(text_language(), "es") ? "en" : "es";
	char words[RECOVERY_TEXT_SIZE];

	(void)answer;
	recovery_print(words, &call->code, language);
	json_set_text(call->result, "words", words);
	json_set_text(call->result, "language", language);
	call->secret = "words";
	sodium_memzero(words, sizeof words);
	return 0;
}

int method_no_recovery(struct call *call)
{
	int err = who_needs_directory(call);

	if (err == 0)
		err = engine_recovery(call->engine, NULL, call->ticket);
	return err < 0 ? err : API_LATER;
}
