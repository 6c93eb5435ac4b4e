/** Finds files that import each other in a circle. */
import { targetOf, type Module } from './modules.ts';

/** Finds the shortest circle of imports through each file: each circle once, the shortest first. */
export function findCircles(modules: readonly Module[]): string[] {
  const arrows = new Map(
    modules.map(({ path, imports }) => [
      path,
      [...new Set(imports.flatMap(({ specifier }) => targetOf(path, specifier) ?? []))],
    ]),
  );
  const circles = new Map<string, readonly string[]>();
  for (const path of arrows.keys()) {
    const circle = shortestCircle(path, arrows);
    if (circle !== null) circles.set([...circle].sort().join(), circle);
  }
  return [...circles.values()]
    .sort((a, b) => a.length - b.length)
    .map((circle) => fromFirstName(circle).join(' -> '));
}

/** Returns the files of the shortest way from a file back to itself; null if there is none. */
function shortestCircle(start: string, arrows: ReadonlyMap<string, readonly string[]>): string[] | null {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const path of queue) {
    for (const next of arrows.get(path) ?? []) {
      if (next === start) return wayTo(path, cameFrom);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, path);
      queue.push(next);
    }
  }
  return null;
}

/** Returns the way from the start, which came from nowhere, to a file. */
function wayTo(path: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const before = cameFrom.get(path);
  return before === undefined ? [path] : [...wayTo(before, cameFrom), path];
}

/** Turns a circle so that it begins and ends with the first of its names. */
function fromFirstName(circle: readonly string[]): string[] {
  const first = [...circle].sort()[0]!;
  const start = circle.indexOf(first);
  return [...circle.slice(start), ...circle.slice(0, start), first];
}
