import { describe } from 'node:test';
import { describeHalfClose } from './half-close.ts';
import { Entry, type TransportRig } from './rig.ts';
import { describeTransfers } from './transfers.ts';

/** Describes what every transport of clients does. */
export function describeChannels(name: string, makeRig: () => TransportRig, skip: string | false): void {
  const on = (test: (entry: Entry) => Promise<void>): (() => Promise<void>) => {
    return () => withEntry(makeRig, test);
  };

  describe(`clients' channels on ${name}`, { skip }, () => {
    describeHalfClose(on);
    describeTransfers(on);
  });
}

/** Runs a test with a listening address of a transport. */
async function withEntry(makeRig: () => TransportRig, test: (entry: Entry) => Promise<void>): Promise<void> {
  const rig = makeRig();
  try {
    const entry = await Entry.open(rig.transport);
    try {
      await test(entry);
    } finally {
      entry.close();
    }
  } finally {
    rig.close();
  }
}
