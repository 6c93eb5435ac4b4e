/** Counts the bytes that code looks at or copies by the methods of Buffer: growth is measured by work, not by time. */

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** The cost of each method, by its object, its arguments and its result. */
const COSTS: readonly (readonly [
  owner: object,
  name: string,
  bytes: (self: Buffer, args: readonly unknown[], result: unknown) => number,
])[] = [
  [
    Buffer.prototype,
    'indexOf',
    ({ length }, [, start], found) => (found === -1 ? length : Number(found) + 1) - Number(start ?? 0),
  ],
  [Buffer.prototype, 'copy', (_self, _args, copied) => Number(copied)],
  [Buffer.prototype, 'toString', (_self, _args, text) => String(text).length],
  [Buffer, 'concat', (_self, _args, joined) => (joined as Buffer).length],
  [Buffer, 'from', (_self, _args, made) => (made as Buffer).length],
];

/** The bytes that a task searches, copies or decodes. Not for tasks that wait. */
export function bufferWork(task: () => void): number {
  let work = 0;
  const restores = COSTS.map(([owner, name, bytes]) => {
    const real = Reflect.get(owner, name) as Method;
    Reflect.set(owner, name, function (this: unknown, ...args: unknown[]) {
      const result = Reflect.apply(real, this, args);
      work += bytes(this as Buffer, args, result);
      return result;
    });
    return () => Reflect.set(owner, name, real);
  });
  try {
    task();
  } finally {
    for (const restore of restores) restore();
  }
  return work;
}

/** Makes a response's head of a number of bytes, all in one header. */
export function headOf(bytes: number, statusLine = 'HTTP/1.1 200 OK'): Buffer {
  const start = `${statusLine}\r\nContent-Length: 0\r\nX: `;
  return Buffer.from(`${start}${'a'.repeat(bytes - start.length - 4)}\r\n\r\n`, 'latin1');
}

/** Hands over the bytes one by one, in the same memory each time. */
export function drip(bytes: Buffer, take: (byte: Buffer) => void): void {
  const read = Buffer.alloc(1);
  for (const byte of bytes) {
    read[0] = byte;
    take(read);
  }
}
