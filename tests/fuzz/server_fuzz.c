/* Two clients of a directory say anything: frames from the input, and raw bytes. The input is
 * a row of (who, kind and length, bytes). */
#include <sodium.h>
#include <stdlib.h>

#include "shared/frame.h"
#include "tests/small_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct small_net net;
static struct small_client *clients[3];

static void finish(void)
{
	small_net_end(&net);
}

static void begin(void)
{
	static const struct server_config config = { .registration = REGISTRATION_OPEN };

	if (sodium_init() < 0)
		abort();
	small_net_begin(&net, &config);
	atexit(finish);
	clients[0] = small_client_online(&net, "alice");
	clients[1] = small_client_online(&net, "bob");
	clients[2] = small_client_new(&net, "guest");
}

/* Who was put out comes back. */
static void come_back(unsigned who)
{
	if (!clients[who]->link)
		small_client_dial(clients[who], who == 2 ? LINK_NK : LINK_IK);
}

static void say(struct small_client *c, struct bytes contents, bool is_framed)
{
	struct buf frame = { 0 };

	if (is_framed && contents.size)
		frame_append(&frame, contents);
	else
		buf_append(&frame, contents);
	if (c->link && frame.size)
		link_write(c->link, LINK_CONTROL, buf_view(&frame), false);
	buf_clear(&frame);
	small_net_run(&net, MILLISECOND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!clients[0])
		begin();
	while (size >= 3) {
		unsigned who = data[0] % 3;
		size_t length = (size_t)data[1] | (data[2] & 15u) << 8;
		bool is_framed = data[2] & 16;

		data += 3;
		size -= 3;
		if (length > size)
			length = size;
		come_back(who);
		say(clients[who], bytes_of(data, length), is_framed);
		data += length;
		size -= length;
	}
	/* an unfinished frame must not spoil the next run */
	for (unsigned i = 0; i < 3; i++) {
		buf_clear(&clients[i]->inbox);
		if (i == 2 || !clients[i]->link)
			small_client_hang_up(clients[i]);
	}
	small_net_run(&net, 100 * MILLISECOND);
	return 0;
}
