/* The inside of the UDP shell, for the files that make it up and nobody else, from below: udp_handles.c
 * (the sockets that the loop watches), udp_send.c, udp_receive.c, udp_groups.c (multicast), udp.c
 * (the turn). */
#ifndef PALIQUE_SHARED_UDP_INSIDE_H
#define PALIQUE_SHARED_UDP_INSIDE_H

#include "shared/udp.h"
#include "shared/udp_socket.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* linux/udp.h; not in every libc's header */
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
	SOCKETS_MAX = 48,
	RECEIVE_BATCH = 16, /* messages a call; each perhaps many datagrams (GRO) */
	RECEIVE_SIZE = 65536,
	SEND_BATCH = 256,      /* datagrams collected before a call */
	SEND_SIZE = 512 << 10, /* bytes of them */
	CONTROL_SIZE = 128,
	MESSAGES = 64, /* in one sendmmsg */
};

struct socket {
	struct udp *udp;
	uv_poll_t poll;
	int fd;
	uint16_t number;                 /* that of struct path */
	bool is_v6, is_dual, is_waiting; /* waiting: for room to send */
	struct address bound;
	/* A socket that only hears a group: which, and on which interfaces. Family 0: none. */
	struct address group;
	unsigned link_count;
	uint32_t links[UDP_LINKS_MAX];
};

struct outgoing {
	size_t offset, size;
	struct path path;
	struct socket *socket;
	uint8_t ttl;
};

/* One message to the kernel: one datagram, or several segments of one size. */
struct message {
	struct sockaddr_storage to;
	struct iovec part;
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_SIZE];
	unsigned datagrams;
};

struct udp {
	uv_loop_t *loop;
	struct endpoint *e;
	udp_step *step;
	void *user;
	uv_poll_cb on_socket; /* of udp.c */
	struct socket *sockets[SOCKETS_MAX];
	unsigned socket_count;
	struct socket *groups[UDP_GROUPS_MAX];
	unsigned group_count;
	struct socket *extras[PATH_EXTRA_MAX]; /* by path.socket - PATH_EXTRA; NULL: not open */
	uv_timer_t timer;
	uv_idle_t idle;   /* both run at once when there is something to do now: */
	uv_check_t check; /* behind the sockets in this turn, or before them in the next */
	unsigned handles;
	bool is_closing, is_soon, is_in_turn;
	bool has_segmentation;
	uint8_t *in, *out;
	struct outgoing list[SEND_BATCH];
	struct message messages[MESSAGES];
	size_t out_size;
	unsigned first, count; /* of `list`: [first, count) is yet to be sent */
};

/* Takes what was opened, and watches it. NULL: it cannot be watched, and is closed. */
struct socket *udp_attach(struct udp *udp, const struct udp_socket *opened, uint16_t number);
/* Nothing of it may be in `list` any more. */
void udp_detach(struct socket *s);
/* on_socket() is called when it can be written to. */
void udp_wait_for_room(struct socket *s);
/* A handle is closed; with the last one all is freed. */
void udp_release(struct udp *udp);

/* One batch of what has come; how many messages it was, negative: none. Adds their bytes. */
int udp_receive_batch(struct udp *udp, struct socket *s, size_t *bytes);
/* Takes and sends what the core wants to send, as far as there is room: all, or a little more than `most`
 * bytes. */
void udp_flush(struct udp *udp, size_t most);

#endif
