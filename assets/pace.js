// When the next segment is due, and where between the past and the newest segment the picture should stand.
//
// Knows this machine's clock alone, none that two machines would have to share: a segment cannot have been here before
// it was there, so the one that came soonest after its end tells how media time and this clock belong together. All
// times are seconds.

const LEAST = 0.1;      // margin for a segment that comes late: at least this,
const MOST = 4;         // and at most this, where the network is bad
const COUNTS = 40;      // seconds that an arrival counts: a camera's clock and this one drift apart
const EARLY = 0.08;     // so long before it is due a segment is looked for: only who looks early learns how soon it can be there
const SLEPT = 1;        // so much sooner than ever: not the network, a clock that stood still in a sleeping machine
const FORGIVES = 240;   // seconds without a stall after which what stalls have cost is halved

const now = () => performance.now() / 1000;

export class Pace {
  #arrivals = [];  // of the last segments: when, length, and how long after their end they came
  #penalty = 0;    // margin that stalls have cost
  #stalled = 0;

  // A segment that ends at `end` in media time is here. `alone`: it was looked for when it was due, and tells how long they
  // take; one of several may have been here for long. But if that is sooner than any that was known, it was looked for too
  // late all the time, and what was known is forgotten. Where nothing is known it must do: a starved browser sees none alone.
  saw(end, length, alone) {
    const at = now();
    if (at - end < this.#soonest - (alone ? SLEPT : 0)) this.#arrivals = [];
    if (!alone && this.known) return;
    this.#arrivals.push({ at, length, delay: at - end });
    while (this.#arrivals[0].at < at - COUNTS) this.#arrivals.shift();
    if (this.#penalty && at - this.#stalled > FORGIVES) {
      this.#penalty = this.#penalty > 0.05 ? this.#penalty / 2 : 0;
      this.#stalled = at;
    }
  }

  // The picture stood still for want of the next segment.
  stalled() {
    this.#penalty = Math.min(MOST, Math.max(0.1, 2 * this.#penalty));
    this.#stalled = now();
  }

  get known() { return this.#arrivals.length > 0; }
  get #soonest() { return Math.min(...this.#arrivals.map((a) => a.delay)); }
  get #latest() { return Math.max(...this.#arrivals.map((a) => a.delay)); }

  // How old a picture is that stands at this media time, but for the way of its end from the camera to here.
  age(shown) { return now() - this.#soonest - shown; }

  // How old the picture must be: a segment comes when it is complete, as old as it is long.
  get target() {
    const longest = Math.max(...this.#arrivals.map((a) => a.length));
    return longest + Math.min(MOST, LEAST + this.#latest - this.#soonest + this.#penalty);
  }

  // Seconds until it is worth looking for the segment after the one that ends at `end`: segments need not be equally long.
  due(end) {
    const shortest = Math.min(...this.#arrivals.map((a) => a.length));
    return end + shortest + this.#soonest - now() - EARLY;
  }
}
