/** A uWS response or WebSocket. This could be any method with a system call on the socket's descriptor. */
export interface Addressed {
  /** Returns the peer's address, empty if the system has none. */
  getRemoteAddress(): ArrayBuffer;
}

/** Descriptors that can be hidden. A hidden descriptor has no peer address. */
export interface Hideable {
  readonly size: number;
  hide(index: number): void;
  show(index: number): void;
}

/**
 * Finds the descriptor of each WebSocket or response.
 *
 * uWS (20.66 to 20.68) exposes neither the descriptor nor the port of a client, and clients behind NAT share
 * addresses. But each call asks the system for the address, so hiding descriptors reveals which one uWS uses.
 * If all descriptors are hidden whose index has a certain bit, each WebSocket reveals that bit of its
 * index. Nothing is sent, and no client can notice.
 *
 * Needed until uWS exposes a connection's port (uWebSockets.js#1160, uWebSockets pull request 1854, open).
 * The http1 engine does not need it.
 *
 * @returns an index per WebSocket, -1 if its descriptor is not among them. All descriptors are visible again.
 */
export function findDescriptors(sockets: readonly Addressed[], descriptors: Hideable): number[] {
  const { size } = descriptors;
  const found = sockets.map(() => -1);
  for (let index = 0; index < size; index++) descriptors.hide(index);
  const present = [...sockets.keys()].filter((number) => isHidden(sockets[number]!));
  for (const number of present) found[number] = 0;
  for (let bit = 1; bit < size && present.length > 0; bit <<= 1) {
    for (let index = 0; index < size; index++) {
      if ((index & bit) === 0) descriptors.show(index);
      else descriptors.hide(index);
    }
    for (const number of present) if (isHidden(sockets[number]!)) found[number]! |= bit;
  }
  for (let index = 0; index < size; index++) descriptors.show(index);
  // A broken connection never has an address.
  for (const number of present) {
    if (found[number]! >= size || isHidden(sockets[number]!)) found[number] = -1;
  }
  return found;
}

function isHidden(socket: Addressed): boolean {
  return socket.getRemoteAddress().byteLength === 0;
}
