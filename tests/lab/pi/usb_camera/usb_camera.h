/* SPDX-License-Identifier: GPL-2.0-only */
/* What the camera is (device.c) and how it speaks to the kernel (usb_camera.c) know of each other. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { PICTURES = 1 };		/* the endpoint they come from */
enum { PAYLOAD = 16384 };	/* bytes of a picture, with a header, in one transfer: as many as uvcvideo asks for at once */
enum { SECOND = 10000000 };	/* UVC's unit of time is 100 ns */

enum kind { JPEG, H264, YUYV, KINDS };

struct picture { const uint8_t *data; size_t size; };

struct mode {
	enum kind kind;
	int width, height, rates[4];	/* frames per second; 0: no more */
	struct picture *pictures;
	int count;			/* 0: not offered */
};

enum { MODES = 6 };
extern struct mode modes[MODES];

/* Makes the descriptors of the modes that have pictures. */
void describe(void);

/* Answers a request on the control endpoint: the size of the answer in `to`, or a negative errno. */
int request(const uint8_t setup[8], const uint8_t *from, uint8_t *to);

/* What requests lead to: somebody wants pictures, `interval` apart; nobody does; the device was configured anew. */
void begin(struct mode *mode, uint32_t interval);
void end(void);
void configured(void);
