/** Lists the places of credentials in requests, which a tap must not show. */
import type { AccessSettings, TokenSource } from '../../config/types/access.ts';
import type { Listener } from '../../config/types/listener.ts';

/** Lists the places of tokens in the requests of all listeners and routes. */
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
