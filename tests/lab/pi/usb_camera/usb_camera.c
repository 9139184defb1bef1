// SPDX-License-Identifier: GPL-2.0-only
/*
 * usb_camera - a USB camera without hardware. Speaks USB/IP (the kernel's Documentation/usb/usbip_protocol.rst) as the
 * device's end does, on a socket whose other end the kernel's virtual host controller (module vhci_hcd) has: the kernel's
 * USB core and its driver uvcvideo run as with a camera at a port. Pictures go by bulk transfers.
 *
 *  usb_camera DIR   DIR/<width>x<height>.{jpeg,h264,yuyv}: pictures, played in a loop at whichever rate was agreed on.
 *                   The camera offers those of its modes (device.c) whose file is there.
 *
 * Ending it is unplugging the camera.  SIGUSR1: no picture comes any more, until somebody configures the device anew, as
 * the kernel does when it is switched off and on at its port (`authorized` in /sys).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "usb_camera.h"

static int kernel;				/* our end of the socket */
static volatile sig_atomic_t stalled;

/* transfers that wait for a picture, the oldest first; the kernel's numbers as they came */
static struct transfer { uint32_t number, size; } waiting[64];
static size_t waiting_count;

static struct mode *streaming;			/* NULL: nobody wants pictures */
static int next;				/* picture */
static size_t offset;				/* so much of it is delivered */
static int64_t due;				/* when it is to be, in UVC's unit */
static uint32_t interval;

/* --- pictures --- */

static size_t find(const uint8_t *data, size_t size, size_t from, const char *mark, size_t length)
{
	const uint8_t *at = from < size ? memmem(data + from, size - from, mark, length) : NULL;

	return at ? (size_t)(at - data) : size;
}

/* Where the picture that begins here ends: before the next JPEG's start, H.264's next delimiter. */
static size_t end_of(const struct mode *mode, const uint8_t *data, size_t size, size_t begin)
{
	switch (mode->kind) {
	case JPEG:
		return find(data, size, begin + 2, "\xff\xd8\xff", 3);
	case H264:
		return find(data, size, begin + 4, "\0\0\0\1\x09", 5);
	default:
		return begin + (size_t)mode->width * mode->height * 2;
	}
}

static void load(struct mode *mode, const char *directory)
{
	static const char *const suffix[KINDS] = { "jpeg", "h264", "yuyv" };
	char path[4096];
	uint8_t *data;
	size_t size, stop;
	FILE *file;

	snprintf(path, sizeof path, "%s/%dx%d.%s", directory, mode->width, mode->height, suffix[mode->kind]);
	file = fopen(path, "rb");
	if (!file)
		return;
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	rewind(file);
	data = malloc(size);
	if (fread(data, 1, size, file) != size)
		err(1, "%s", path);
	fclose(file);
	for (size_t start = 0; (stop = end_of(mode, data, size, start)) <= size && start < size; start = stop) {
		mode->pictures = realloc(mode->pictures, (mode->count + 1) * sizeof *mode->pictures);
		mode->pictures[mode->count++] = (struct picture){ data + start, stop - start };
	}
}

/* --- USB/IP --- */

enum { UNLINK = 2, SUBMITTED, UNLINKED };	/* what is no UNLINK is a SUBMIT */
struct packet { uint32_t command, number, device, in, endpoint, word[5]; uint8_t setup[8]; };

static void take(void *to, size_t size)
{
	for (ssize_t got; size; to = (char *)to + got, size -= got)
		if ((got = recv(kernel, to, size, 0)) <= 0)
			exit(got ? 1 : 0);	/* 0: the kernel has let go of us */
}

static void give(const void *from, size_t size)
{
	for (ssize_t done; size; from = (const char *)from + done, size -= done)
		if ((done = send(kernel, from, size, MSG_NOSIGNAL)) < 0)
			err(1, "vhci_hcd");
}

/* `status` is 0 or a negative errno, `size` what was transferred; into the kernel it is sent along as `data`. */
static void answer(uint32_t command, uint32_t number, int status, uint32_t size, const void *data)
{
	struct packet packet = { htonl(command), number, 0, 0, 0, { htonl(status), htonl(size) }, { 0 } };

	give(&packet, sizeof packet);
	if (data)
		give(data, size);
}

static int forget(uint32_t number)
{
	for (size_t i = 0; i < waiting_count; i++)
		if (waiting[i].number == number) {
			memmove(waiting + i, waiting + i + 1, (--waiting_count - i) * sizeof *waiting);
			return 1;
		}
	return 0;
}

static void receive(void)
{
	static uint8_t from[4096], to[4096];
	struct packet packet;
	uint32_t size;
	int result;

	take(&packet, sizeof packet);
	if (packet.command == htonl(UNLINK)) {
		answer(UNLINKED, packet.number, forget(packet.word[0]) ? -ECONNRESET : 0, 0, NULL);
		return;
	}
	size = ntohl(packet.word[1]);
	if (packet.endpoint == htonl(PICTURES)) {
		if (waiting_count == sizeof waiting / sizeof *waiting)
			errx(1, "more transfers than uvcvideo is known to want");
		waiting[waiting_count++] = (struct transfer){ packet.number, size };
		return;
	}
	if (size > sizeof from)
		errx(1, "a control transfer of %u bytes", size);
	if (!packet.in)
		take(from, size);
	result = request(packet.setup, from, to);
	if (result < 0)
		answer(SUBMITTED, packet.number, result, 0, NULL);
	else if (packet.in)
		answer(SUBMITTED, packet.number, 0, result < (int)size ? (uint32_t)result : size, to);
	else
		answer(SUBMITTED, packet.number, 0, size, NULL);
}

/* --- the stream --- */

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * (int64_t)SECOND + time.tv_nsec / 100;
}

void begin(struct mode *mode, uint32_t apart)
{
	streaming = mode;
	interval = apart;
	next = offset = 0;
	due = now();
}

void end(void)
{
	streaming = NULL;
}

void configured(void)
{
	streaming = NULL;
	stalled = 0;
}

static void stall(int signal)
{
	(void)signal;
	stalled = 1;
}

/* The next part of the picture that is due, to the transfer that waits longest: UVC's payload header, then data. */
static void deliver(void)
{
	static uint8_t payload[PAYLOAD], toggle;	/* one bit, another for each picture */
	const struct picture *picture = &streaming->pictures[next];
	size_t part = picture->size - offset, room = (waiting[0].size < PAYLOAD ? waiting[0].size : PAYLOAD) - 2;
	int last = part <= room;

	if (!last)
		part = room;
	payload[0] = 2;
	payload[1] = 0x80 | last << 1 | toggle;
	memcpy(payload + 2, picture->data + offset, part);
	answer(SUBMITTED, waiting[0].number, 0, 2 + part, payload);
	forget(waiting[0].number);
	offset += part;
	if (!last)
		return;
	toggle ^= 1;
	offset = 0;
	next = (next + 1) % streaming->count;
	due += interval;
	if (due < now() - SECOND)			/* hopelessly late: do not burst */
		due = now();
}

static void plug_in(void)
{
	int ends[2], attach = open("/sys/devices/platform/vhci_hcd.0/attach", O_WRONLY);

	if (attach < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) ||
	    dprintf(attach, "0 %d 65537 3", ends[1]) < 0)	/* port, socket, number of the device, high speed */
		err(1, "vhci_hcd.0/attach");
	close(ends[1]);
	close(attach);
	kernel = ends[0];
}

int main(int argc, char **argv)
{
	int offered = 0;

	for (int i = 0; argc == 2 && i < MODES; i++) {
		load(&modes[i], argv[1]);
		offered += modes[i].count;
	}
	if (!offered)
		errx(2, "usage: usb_camera DIR, with pictures in it");
	describe();
	signal(SIGUSR1, stall);
	plug_in();
	for (;;) {
		struct pollfd requests = { kernel, POLLIN, 0 };
		int ready = streaming && !stalled && waiting_count;
		int64_t pause = ready ? due - now() : 0;

		if (poll(&requests, 1, !ready ? -1 : pause > 0 ? (int)(pause / 10000) + 1 : 0) > 0)
			receive();
		else if (ready && pause <= 0)
			deliver();
	}
}
