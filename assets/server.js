// Questions to the server. The page's address may have a login in it (https://anna:password@...), and a browser refuses to
// fetch an address with one, which a relative address would inherit.

const PATIENCE = 8000;  // milliseconds one answer may take: a pulled cable is no answer

// The address of one of the server's files.
export const address = (path) => new URL(path, location.origin + location.pathname).href;

// The answer, whatever it is, as it is now; an error where none comes, or `stop`, a signal, no longer wants it. `cache`: what is
// large and seldom new may be kept, and asked for whether it is ("no-cache").
export function ask(path, stop, cache = "no-store") {
  const end = new AbortController();
  setTimeout(() => end.abort(), PATIENCE);
  stop?.addEventListener("abort", () => end.abort());
  return fetch(address(path), { cache, signal: end.signal });
}
