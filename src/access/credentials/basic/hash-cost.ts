const BCRYPT = /^\$2[aby]\$(\d\d)\$/;
const APR1 = '$apr1$';
/** Below the minimum cost of bcrypt, 4. */
const APR1_COST = 1;

/** Returns the hash that takes longest to compare. Null without hashes. */
export function slowestOf(hashes: Iterable<string>): string | null {
  let slowest: string | null = null;
  let maxCost = -1;
  for (const hash of hashes) {
    const cost = costOf(hash);
    if (cost <= maxCost) continue;
    maxCost = cost;
    slowest = hash;
  }
  return slowest;
}

function costOf(hash: string): number {
  const rounds = BCRYPT.exec(hash)?.[1];
  if (rounds !== undefined) return Number(rounds);
  return hash.startsWith(APR1) ? APR1_COST : 0;
}
