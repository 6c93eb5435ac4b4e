/** A WebSocket of uWS; any call that asks the system something of its socket would do. */
export interface Addressed {
  /** Empty if the system tells no address. */
  getRemoteAddress(): ArrayBuffer;
}

/** Descriptors that can be hidden: what asks a hidden one for its peer's address gets none. */
export interface Hideable {
  readonly size: number;
  hide(index: number): void;
  show(index: number): void;
}

/**
 * Finds the descriptor of each WebSocket. uWebSockets.js 20.66 to 20.68 tells neither the descriptor nor the port of a
 * client, and addresses are shared behind NAT. But it asks the system for the address at each call, so that hiding
 * descriptors shows which one it asks: with all of those hidden whose index has a certain bit, each WebSocket tells
 * that bit of its own index. Nothing is sent, and no client can notice. The need ends with an engine of our own.
 *
 * @returns an index for each WebSocket, or -1 if its descriptor is none of these. All descriptors are shown again.
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
  // A connection that is broken has no address in any case.
  for (const number of present) {
    if (found[number]! >= size || isHidden(sockets[number]!)) found[number] = -1;
  }
  return found;
}

function isHidden(socket: Addressed): boolean {
  return socket.getRemoteAddress().byteLength === 0;
}
