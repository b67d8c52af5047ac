/* How a link ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "shared/error.h"
#include "shared/link.h"
#include "tests/link_pair.h"

static void a_goodbye_carries_its_code(void **state)
{
	(void)state;
	connect_both();
	net_run(&wires, SECOND);
	link_close(wires.nodes[0].link, 1234, wires.now);
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[1].down_error, ERR_CLOSED);
	assert_int_equal(wires.nodes[1].down_code, 1234);
	assert_int_equal(wires.nodes[0].told[LINK_DOWN], 0);
	net_run(&wires, 5 * SECOND);
	assert_int_equal(endpoint_counters(wires.nodes[0].e).links, 0);
	assert_int_equal(endpoint_counters(wires.nodes[1].e).links, 0);
}

static void last_words_arrive_before_the_goodbye(void **state)
{
	(void)state;
	connect_both();
	net_run(&wires, SECOND);
	net_write(&wires, 0, LINK_CONTROL, "and farewell");
	link_close(wires.nodes[0].link, LINK_CODE_UNKNOWN, wires.now);
	net_run(&wires, SECOND);
	assert_true(net_inbox_is(&wires, 1, "and farewell"));
	assert_int_equal(wires.nodes[1].down_code, LINK_CODE_UNKNOWN);
}

static bool lose_once(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	bool *is_lost = n->user;

	(void)d;
	(void)data;
	if (from != 0 || *is_lost)
		return true;
	*is_lost = true;
	return false;
}

static void a_lost_goodbye_is_said_again_to_who_goes_on_speaking(void **state)
{
	bool is_lost = false;

	(void)state;
	connect_both();
	net_run(&wires, SECOND);
	wires.tap = lose_once;
	wires.user = &is_lost;
	link_close(wires.nodes[0].link, LINK_CODE_RESTART, wires.now);
	net_run(&wires, 100 * MILLISECOND);
	assert_true(is_lost);
	assert_int_equal(wires.nodes[1].told[LINK_DOWN], 0);
	net_write(&wires, 1, LINK_CONTROL, "are you there");
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[1].down_code, LINK_CODE_RESTART);
}

static void everyone_is_told_at_a_clean_exit(void **state)
{
	(void)state;
	nobody(state);
	net_add(&wires, ENDPOINT_ANYONE);
	for (unsigned i = 1; i <= 20; i++) {
		net_add(&wires, ENDPOINT_ADMITTED);
		net_dial(&wires, i, 0);
	}
	net_run(&wires, 2 * SECOND);
	assert_int_equal(wires.nodes[0].told[LINK_UP], 20);
	endpoint_close_all(wires.nodes[0].e, LINK_CODE_RESTART, wires.now);
	net_run(&wires, SECOND);
	for (unsigned i = 1; i <= 20; i++)
		assert_int_equal(wires.nodes[i].down_code, LINK_CODE_RESTART);
}

static void a_link_to_the_dead_ends_by_silence(void **state)
{
	(void)state;
	connect_both();
	net_run(&wires, SECOND);
	wires.nodes[1].is_dead = true;
	net_write(&wires, 0, LINK_CONTROL, "are you there");
	net_run(&wires, 5 * SECOND);
	assert_true(link_unanswered_since(wires.nodes[0].link) <= wires.now - 4 * SECOND);
	assert_int_equal(wires.nodes[0].told[LINK_DOWN], 0);
	net_run(&wires, 40 * SECOND);
	assert_int_equal(wires.nodes[0].down_error, ERR_TIMEOUT);
}

/* RFC 9000's idle timer begins anew when something is sent; ours does not. */
static void a_word_to_the_dead_does_not_hold_their_link(void **state)
{
	(void)state;
	connect_both();
	net_run(&wires, SECOND);
	wires.nodes[1].is_dead = true;
	net_run(&wires, 25 * SECOND);
	net_write(&wires, 0, LINK_CONTROL, "are you there");
	net_run(&wires, 5 * SECOND);
	assert_int_equal(wires.nodes[0].told[LINK_DOWN], 1);
	assert_int_equal(wires.nodes[0].down_error, ERR_TIMEOUT);
}

static void a_dialled_link_may_have_timers_of_its_own(void **state)
{
	struct link_target target = net_target(&wires, 1);
	uint64_t sent;

	(void)state;
	target.keep_alive = 20 * SECOND;
	target.idle_timeout = 25 * SECOND;
	assert_non_null(endpoint_dial(wires.nodes[0].e, &target, wires.now));
	net_run(&wires, SECOND);
	wires.nodes[1].is_dead = true;
	net_run(&wires, 5 * SECOND);
	sent = wires.nodes[0].sent;
	net_run(&wires, 13 * SECOND); /* the endpoint would ping after 10 */
	assert_int_equal(wires.nodes[0].sent, sent);
	net_run(&wires, 3 * SECOND);
	assert_true(wires.nodes[0].sent > sent);
	assert_int_equal(wires.nodes[0].told[LINK_DOWN], 0);
	net_run(&wires, 5 * SECOND); /* and give up after 30 */
	assert_int_equal(wires.nodes[0].down_error, ERR_TIMEOUT);
}

static void keep_alive_holds_an_idle_link(void **state)
{
	(void)state;
	connect_both();
	net_run(&wires, 600 * SECOND);
	assert_non_null(wires.nodes[0].link);
	assert_non_null(wires.nodes[1].link);
	assert_true(link_unanswered_since(wires.nodes[0].link) == NEVER);
	assert_true(link_last_heard(wires.nodes[1].link) > wires.now - 15 * SECOND);
	assert_works(0, 1);
}

static void a_contact_dismissed_is_cut_off(void **state)
{
	(void)state;
	connect_both();
	net_run(&wires, SECOND);
	endpoint_dismiss(wires.nodes[1].e, &wires.nodes[0].identity.public);
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[0].down_code, LINK_CODE_NOT_CONTACT);
	assert_int_equal(wires.nodes[1].down_error, ERR_REFUSED);
	net_dial(&wires, 0, 1);
	net_run(&wires, 15 * SECOND);
	assert_int_equal(wires.nodes[1].told[LINK_UP], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEERS(a_goodbye_carries_its_code),
		PEERS(last_words_arrive_before_the_goodbye),
		PEERS(a_lost_goodbye_is_said_again_to_who_goes_on_speaking),
		EMPTY(everyone_is_told_at_a_clean_exit),
		PEERS(a_link_to_the_dead_ends_by_silence),
		PEERS(a_word_to_the_dead_does_not_hold_their_link),
		PEERS(a_dialled_link_may_have_timers_of_its_own),
		PEERS(keep_alive_holds_an_idle_link),
		PEERS(a_contact_dismissed_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
