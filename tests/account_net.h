/* Included by a test of accounts at a directory that runs, once: clients of it, with the limits of
 * every day. */
#ifndef PALIQUE_TESTS_ACCOUNT_NET_H
#define PALIQUE_TESTS_ACCOUNT_NET_H

#include "directory/registry_inside.h"
#include "tests/small_client.h"

static struct small_net net;
static struct wire_message m;
static struct server_config config;

static inline int begin(void **state)
{
	(void)state;
	config = small_net_limited();
	small_net_begin(&net, &config);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	small_net_end(&net);
	return 0;
}

#define ACCOUNT(test) cmocka_unit_test_setup_teardown(test, begin, end)

static inline struct registry *registry(void)
{
	return server_registry(net.server);
}

/* Another device of the account, online. */
static inline struct small_client *another(struct small_client *of)
{
	struct small_client *c = small_client_sibling(of);

	assert_int_equal(small_client_login(c, "password"), 0);
	assert_int_equal(small_client_come(c), 0);
	small_client_publish(c);
	return c;
}

/* The newest list that it was told of. */
static inline void catch_up(struct small_client *c)
{
	while (small_client_hears_own(c, &m))
		;
}

static inline void befriend(struct small_client *a, struct small_client *b)
{
	small_client_list(a, b->name.text, NULL);
	small_client_list(b, a->name.text, NULL);
}

#endif
