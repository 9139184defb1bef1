// SPDX-License-Identifier: GPL-2.0-only
/* What the camera is: its modes, its controls, its descriptors (USB 2.0, UVC 1.1), and what it answers to requests. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include "usb_camera.h"

#define ALL(array) (int)(sizeof(array) / sizeof *(array))

struct mode modes[MODES] = {
	{ .kind = JPEG, .width = 640, .height = 480, .rates = { 15, 10, 5 } },
	{ .kind = JPEG, .width = 320, .height = 240, .rates = { 15, 10, 5 } },
	{ .kind = JPEG, .width = 160, .height = 120, .rates = { 15, 10, 5 } },
	{ .kind = H264, .width = 640, .height = 480, .rates = { 15, 10 } },
	{ .kind = H264, .width = 320, .height = 240, .rates = { 15, 10 } },
	{ .kind = YUYV, .width = 160, .height = 120, .rates = { 10, 5 } },
};

enum { VIDEO_CONTROL, VIDEO_STREAMING };	/* interfaces */
enum { LENS = 1, PROCESSING, TO_USB };		/* units of the first */

/* by their units and UVC's selectors there; for the values of the second uvcvideo has names */
enum { BRIGHTNESS = 2, POWER_LINE_FREQUENCY = 5, FOCUS_ABSOLUTE = 6, FOCUS_AUTO = 8 };
static struct control { int unit, selector, size, minimum, maximum, preset, now; } controls[] = {
	{ PROCESSING, BRIGHTNESS, 2, -64, 64, 0, 0 },
	{ PROCESSING, POWER_LINE_FREQUENCY, 1, 0, 2, 1, 1 },
	{ LENS, FOCUS_ABSOLUTE, 2, 0, 255, 0, 0 },
	{ LENS, FOCUS_AUTO, 1, 0, 1, 1, 1 },
};

enum { LARGEST = 640 * 480 * 2 };		/* picture, bytes */

/* --- descriptors --- */

static uint8_t configuration[1024];
static int used;

static void number(uint8_t *to, int size, uint32_t value)
{
	for (; size--; value >>= 8)
		*to++ = value;
}

/* "112": two numbers of a byte and one of two; the descriptor's own length goes before. */
static uint8_t *add(const char *sizes, ...)
{
	uint8_t *descriptor = configuration + used++;
	va_list values;

	va_start(values, sizes);
	for (; *sizes; used += *sizes++ - '0')
		number(configuration + used, *sizes - '0', va_arg(values, uint32_t));
	va_end(values);
	*descriptor = configuration + used - descriptor;
	return descriptor;
}

/* The mode of this kind that is the frame with this number (from 1), else NULL. */
static struct mode *mode_of(enum kind kind, int frame)
{
	for (int i = 0; i < MODES; i++)
		if (modes[i].kind == kind && modes[i].count && !--frame)
			return &modes[i];
	return NULL;
}

/* The kind that is the format with this number (from 1): those without a mode do not count. */
static enum kind kind_of(int format)
{
	enum kind kind = JPEG;

	for (; kind < KINDS; kind++)
		if (mode_of(kind, 1) && !--format)
			break;
	return kind;
}

static void add_frame(const struct mode *mode, int index)
{
	uint32_t bits = 8u * LARGEST * mode->rates[0], interval = SECOND / mode->rates[0];
	int w = mode->width, h = mode->height, rates = 0;
	uint8_t *frame;

	while (mode->rates[rates])
		rates++;
	if (mode->kind == H264)
		frame = add("11112244414", 0x24, 0x11, index, 0, w, h, bits, bits, interval, rates, 0);
	else
		frame = add("11112244441", 0x24, mode->kind == JPEG ? 7 : 5, index, 0, w, h, bits, bits,
			    mode->kind == JPEG ? LARGEST : w * h * 2, interval, rates);
	for (int i = 0; i < rates; i++, used += 4)
		number(configuration + used, 4, SECOND / mode->rates[i]);
	*frame = configuration + used - frame;
}

static void add_format(int index, enum kind kind)
{
	int frames = 0;

	while (mode_of(kind, frames + 1))
		frames++;
	if (kind == JPEG)
		add("1111111111", 0x24, 6, index, frames, 1, 1, 0, 0, 0, 0);
	else if (kind == H264)	/* by its GUID: four characters, then what is the same for all */
		add("111144441111111", 0x24, 0x10, index, frames, 0x34363248, 0x00100000, 0xaa000080, 0x719b3800,
		    0, 1, 0, 0, 0, 0, 1);
	else
		add("11114444111111", 0x24, 4, index, frames, 0x32595559, 0x00100000, 0xaa000080, 0x719b3800,
		    16, 1, 0, 0, 0, 0);
	for (int frame = 1; frame <= frames; frame++)
		add_frame(mode_of(kind, frame), frame);
}

void describe(void)
{
	int formats = 0;
	uint8_t *header;

	while (kind_of(formats + 1) < KINDS)
		formats++;
	add("1211111", 2, 0, 2, 1, 0, 0x80, 250);		/* the configuration: two interfaces, 500 mA */
	add("1111111", 11, VIDEO_CONTROL, 2, 0x0e, 3, 0, 4);	/* which are one function */

	add("11111111", 4, VIDEO_CONTROL, 0, 0, 0x0e, 1, 0, 2);
	header = add("1122411", 0x24, 1, 0x0110, 0, 48000000, 1, VIDEO_STREAMING);
	add("11121122213", 0x24, 2, LENS, 0x0201, 0, 0, 0, 0, 0, 3, 0x020020 /* both controls */);
	add("111121211", 0x24, 5, PROCESSING, LENS, 0, 2, 0x0401 /* both controls */, 0, 0);
	add("1112111", 0x24, 3, TO_USB, 0x0101, 0, PROCESSING, 0);
	number(header + 5, 2, configuration + used - header);

	add("11111111", 4, VIDEO_STREAMING, 0, 1, 0x0e, 2, 0, 0);
	header = add("11121111111", 0x24, 1, formats, 0, 0x80 | PICTURES, 0, TO_USB, 0, 0, 0, 1);
	*header += formats;
	used += formats;					/* a byte for each: it has no controls */
	for (int format = 1; format <= formats; format++)
		add_format(format, kind_of(format));
	number(header + 4, 2, configuration + used - header);
	add("11121", 5, 0x80 | PICTURES, 2, 512, 0);
	number(configuration + 2, 2, used);
}

static int describe_text(int index, uint8_t *to)
{
	/* the last would turn a terminal red */
	static const char *const texts[] = { "", "pistream", "Emulated Camera", "0001", "\033[31mCam" };
	int length = 0;

	if (index >= ALL(texts))
		return -EPIPE;
	for (; texts[index][length]; length++)
		number(to + 2 + 2 * length, 2, texts[index][length]);
	if (!index)
		number(to + 2 + 2 * length++, 2, 0x0409);	/* the languages of the others: English */
	to[0] = 2 + 2 * length;
	to[1] = 3;
	return to[0];
}

/* --- requests: one that is not known is answered by -EPIPE, a stall --- */

static int standard(int request, int value, uint8_t *to)
{
	static const uint8_t device[] = { 18, 1, 0, 2, 0xef, 2, 1, 64, 0x6b, 0x1d, 2, 1, 0, 1, 1, 2, 3, 1 };

	switch (request) {
	case 0:			/* GET_STATUS */
		number(to, 2, 0);
		return 2;
	case 1:			/* CLEAR_FEATURE, of the endpoint: so uvcvideo ends a stream */
		end();
		return 0;
	case 6:			/* GET_DESCRIPTOR */
		switch (value >> 8) {
		case 1:
			memcpy(to, device, sizeof device);
			return sizeof device;
		case 2:
			memcpy(to, configuration, used);
			return used;
		case 3:
			return describe_text(value & 0xff, to);
		}
		return -EPIPE;
	case 9:			/* SET_CONFIGURATION */
		configured();
		return 0;
	case 11:		/* SET_INTERFACE: there is one of each */
		return 0;
	}
	return -EPIPE;
}

enum { SET_CURRENT = 0x01, GET_CURRENT = 0x81, GET_MINIMUM, GET_MAXIMUM, GET_STEP, GET_SIZE, GET_INFO, GET_PRESET };

/* What is to be streamed: proposed by the driver (PROBE), then settled (COMMIT). */
static int agree(int request, int settled, const uint8_t *from, uint8_t *to)
{
	enum { SIZE = 34, INTERVAL_STAYS = 1 };
	static uint8_t format = 1, frame = 1;
	static uint32_t interval = SECOND / 15;

	switch (request) {
	case SET_CURRENT:
		format = from[2];
		frame = from[3];
		interval = from[4] | from[5] << 8 | from[6] << 16 | (uint32_t)from[7] << 24;
		if (!mode_of(kind_of(format), frame))
			return -EPIPE;
		if (settled)
			begin(mode_of(kind_of(format), frame), interval);
		return 0;
	case GET_SIZE:
		number(to, 2, SIZE);
		return 2;
	case GET_INFO:
		*to = 3;	/* to be read and set */
		return 1;
	}
	memset(to, 0, SIZE);
	number(to, 2, INTERVAL_STAYS);
	to[2] = format;
	to[3] = frame;
	number(to + 4, 4, interval);
	number(to + 18, 4, LARGEST);
	number(to + 22, 4, PAYLOAD);
	number(to + 26, 4, 48000000);
	return SIZE;
}

static int control(int request, int unit, int selector, const uint8_t *from, uint8_t *to)
{
	struct control *control = controls;

	while (control < controls + ALL(controls) && (control->unit != unit || control->selector != selector))
		control++;
	if (control == controls + ALL(controls))
		return -EPIPE;
	switch (request) {
	case SET_CURRENT:
		if (unit == LENS && selector == FOCUS_ABSOLUTE && control[1].now)
			return -EPIPE;	/* FOCUS_AUTO has it */
		control->now = control->size == 1 ? from[0] : (int16_t)(from[0] | from[1] << 8);
		return 0;
	case GET_CURRENT:
		number(to, control->size, control->now);
		break;
	case GET_MINIMUM:
		number(to, control->size, control->minimum);
		break;
	case GET_MAXIMUM:
		number(to, control->size, control->maximum);
		break;
	case GET_STEP:
		number(to, control->size, 1);
		break;
	case GET_PRESET:
		number(to, control->size, control->preset);
		break;
	case GET_SIZE:
		number(to, 2, control->size);
		return 2;
	case GET_INFO:
		*to = 3;
		return 1;
	default:
		return -EPIPE;
	}
	return control->size;
}

int request(const uint8_t setup[8], const uint8_t *from, uint8_t *to)
{
	int value = setup[2] | setup[3] << 8, selector = value >> 8, interface = setup[4], unit = setup[5];

	if (!(setup[0] & 0x60))
		return standard(setup[1], value, to);
	if (interface == VIDEO_STREAMING && (selector == 1 || selector == 2))
		return agree(setup[1], selector == 2, from, to);
	if (interface == VIDEO_CONTROL)
		return control(setup[1], unit, selector, from, to);
	return -EPIPE;
}
