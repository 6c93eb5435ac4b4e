import { describe } from 'node:test';
import { describeHalfClose, describeUnreadResets, type OnEntry } from './half-close.ts';
import { Entry, type TransportRig } from './rig.ts';
import { describeTransfers } from './transfers.ts';

/**
 * Describes the behaviour of every client transport.
 *
 * @param hearsResets whether it notices resets without reading
 */
export function describeChannels(
  name: string,
  makeRig: () => TransportRig,
  skip: string | false,
  hearsResets = false,
): void {
  const on: OnEntry = (test) => () => withEntry(makeRig, test);
  describe(`clients' channels on ${name}`, { skip }, () => {
    describeHalfClose(on);
    if (hearsResets) describeUnreadResets(on);
    describeTransfers(on);
  });
}

/** Describes traffic from channels of the first transport to channels of the second. */
export function describePassage(name: string, makeRig: () => TransportRig, skip: string | false): void {
  const on: OnEntry = (test) => () => withEntry(makeRig, test);
  describe(`clients' channels ${name}`, { skip }, () => {
    describeTransfers(on);
  });
}

/** Runs a test with a listening address of a transport. */
async function withEntry(makeRig: () => TransportRig, test: (entry: Entry) => Promise<void>): Promise<void> {
  const rig = makeRig();
  try {
    const entry = await Entry.open(rig.sides);
    try {
      await test(entry);
    } finally {
      entry.close();
    }
  } finally {
    rig.close();
  }
}
