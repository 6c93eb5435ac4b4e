/** Where the routes of a configuration take credentials from: a tap must not show them. */
import type { AccessSettings, TokenSource } from '../../config/types/access.ts';
import type { Listener } from '../../config/types/listener.ts';

/** Returns the places of tokens in requests, of all listeners and routes. */
export function* secretSourcesOf(listeners: readonly Listener[]): Generator<TokenSource> {
  for (const listener of listeners) {
    yield* sourcesOf(listener.access);
    if (listener.mode === 'l4') continue;
    for (const { access } of listener.routes) yield* sourcesOf(access);
  }
}

function sourcesOf(access: AccessSettings | null): readonly TokenSource[] {
  return access?.jwt?.from ?? [];
}
