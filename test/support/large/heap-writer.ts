/**
 * Writes heap snapshots of every thread of a process. `NODE_OPTIONS=--import` loads this file into each of them. When the
 * file of `HEAP_REQUEST` exists, each thread writes its heap to a file beside it, once for each text of the request.
 */
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { writeHeapSnapshot } from 'node:v8';
import { threadId } from 'node:worker_threads';

const LOOK_MS = 100;

const request = process.env.HEAP_REQUEST;
let last = '';

if (request !== undefined) {
  setInterval(() => {
    if (!existsSync(request)) return;
    const wanted = readFileSync(request, 'utf8');
    if (wanted === last) return;
    last = wanted;
    const file = `${request}.${wanted}.${threadId}`;
    // The name appears when the snapshot is whole.
    renameSync(writeHeapSnapshot(`${file}.part`), file);
  }, LOOK_MS).unref();
}
