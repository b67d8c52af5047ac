#include "shared/udp_inside.h"

#include "shared/error.h"

static struct socket *find(struct udp *udp, const struct address *group)
{
	for (unsigned i = 0; i < udp->group_count; i++)
		if (address_equal(&udp->groups[i]->group, group))
			return udp->groups[i];
	return NULL;
}

static int open_group(struct udp *udp, const struct address *group, struct socket **out)
{
	struct udp_socket opened;
	int err;

	if (udp->group_count == UDP_GROUPS_MAX)
		return ERR_LIMIT;
	err = udp_socket_open_group(&opened, group);
	if (err < 0)
		return err;
	*out = udp_attach(udp, &opened, 0);
	if (!*out)
		return ERR_IO;
	(*out)->group = *group;
	udp->groups[udp->group_count++] = *out;
	return 0;
}

/* An interface that was made anew may have the index of one that is gone, and nothing of what was
 * joined there, though the socket remembers: all are left and joined again. One that carries no
 * v4, or no v6, cannot be. */
static void set_links(struct socket *s, const uint32_t *links, unsigned count)
{
	for (unsigned i = 0; i < s->link_count; i++)
		udp_socket_leave(s->fd, &s->group, s->links[i]);
	s->link_count = count < UDP_LINKS_MAX ? count : UDP_LINKS_MAX;
	for (unsigned i = 0; i < s->link_count; i++) {
		s->links[i] = links[i];
		(void)udp_socket_join(s->fd, &s->group, links[i]);
	}
}

int udp_join(struct udp *udp, const struct address *groups, unsigned group_count,
	     const uint32_t *links, unsigned link_count)
{
	int err = 0;

	for (unsigned i = 0; i < group_count; i++) {
		struct socket *s = find(udp, &groups[i]);
		int failed;

		if (!s && link_count == 0)
			continue; /* nowhere to hear it */
		failed = s ? 0 : open_group(udp, &groups[i], &s);
		if (failed == 0)
			set_links(s, links, link_count);
		else if (err == 0)
			err = failed;
	}
	return err;
}
