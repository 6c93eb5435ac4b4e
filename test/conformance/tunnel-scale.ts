const MIB = 1024 ** 2;

/** How much the suites of layer 4 carry and open: `SLUICE_TEST_SCALE=full` is what is run before a release. */
export const scale =
  process.env.SLUICE_TEST_SCALE === 'full'
    ? { bytesEachWay: 1024 * MIB, cycles: 20_000 }
    : { bytesEachWay: 64 * MIB, cycles: 2000 };
