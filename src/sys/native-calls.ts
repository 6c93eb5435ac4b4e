import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import type * as Koffi from 'koffi';
import { messageOf } from '../core/errors.ts';
import { noteClosing, noteOpen } from './descriptors/descriptor-table.ts';

/**
 * Functions of the C library and of Node that this room calls. All arguments are numbers, including
 * addresses. A wrong address crashes the process, so only this room calls them.
 */
export interface NativeCalls {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly bind: (fd: number, address: number, length: number) => number;
  readonly listen: (fd: number, backlog: number) => number;
  readonly accept4: (fd: number, address: number, length: number, flags: number) => number;
  readonly connect: (fd: number, address: number, length: number) => number;
  readonly getsockopt: (fd: number, level: number, name: number, value: number, length: number) => number;
  readonly getsockname: (fd: number, address: number, length: number) => number;
  readonly getpeername: (fd: number, address: number, length: number) => number;
  readonly setsockopt: (fd: number, level: number, name: number, value: number, length: number) => number;
  readonly recv: (fd: number, address: number, length: number, flags: number) => number;
  readonly send: (fd: number, address: number, length: number, flags: number) => number;
  readonly pipe2: (ends: number, flags: number) => number;
  readonly fcntl: (fd: number, command: number, value: number) => number;
  readonly ioctl: (fd: number, request: number, address: number) => number;
  readonly dup3: (from: number, to: number, flags: number) => number;
  readonly madvise: (address: number, length: number, advice: number) => number;
  readonly pageSize: () => number;
  /** @param time address of a `struct timespec` */
  readonly clockTime: (clock: number, time: number) => number;
  /** Null if the C library is not glibc. */
  readonly mallopt: ((parameter: number, value: number) => number) | null;
  /** Null if the C library is not glibc. */
  readonly mallocTrim: ((pad: number) => number) | null;
  readonly read: (fd: number, address: number, length: number) => number;
  /** Null if the C library lacks it. @param vector address of an array of `struct iovec` */
  readonly preadv2:
    ((fd: number, vector: number, count: number, offset: number, flags: number) => number) | null;
  /** Offsets are addresses, or 0 for a descriptor without an offset. */
  readonly splice: (
    from: number,
    fromOffset: number,
    to: number,
    toOffset: number,
    length: number,
    flags: number,
  ) => number;
  readonly shutdown: (fd: number, how: number) => number;
  readonly close: (fd: number) => number;
  readonly epollCreate: (flags: number) => number;
  readonly epollControl: (epoll: number, operation: number, fd: number, event: number) => number;
  readonly epollWait: (epoll: number, events: number, max: number, timeoutMs: number) => number;
  readonly parseAddress: (family: number, text: string, address: number) => number;
  readonly formatAddress: (family: number, address: number, text: number, size: number) => string | null;
  readonly interfaceIndex: (name: string) => number;
  readonly nodeLoop: (environment: bigint, loop: number) => number;
  readonly nodeLoopDescriptor: (loop: bigint) => number;
  /** Calls back for each handle of the loop, in order of creation, before it returns. */
  readonly walk: (loop: bigint, callback: (handle: number) => void) => void;
  readonly handleType: (handle: number) => number;
  readonly handleSize: (type: number) => number;
  readonly isActive: (handle: number) => number;
  readonly checkStop: (handle: number) => number;
  readonly checkStart: (handle: number, callback: number) => number;
  readonly copy: (to: number, from: number, length: number) => number;
  /** Returns the length of NUL-terminated text, at most `max`. */
  readonly textLength: (address: number, max: number) => number;
  /** Reads the pointer at an address. */
  readonly readPointer: (address: number) => number;
  /** Returns the error number of the last failed call. */
  readonly errno: () => number;
  /**
   * Returns the address of the bytes, valid while they are referenced and their memory is not transferred.
   */
  readonly addressOf: (bytes: Uint8Array) => number;
  /** Node's handle for this thread. */
  readonly environment: bigint;
}

/** @throws RangeError if a number cannot be an open descriptor: variables of closed descriptors are -1 */
export function checkDescriptor(fd: number): void {
  if ((fd | 0) !== fd || fd < 0) throw new RangeError(`${fd} is not an open descriptor`);
}

/** Architectures whose structures and constants this room knows. */
const ARCHITECTURES: readonly string[] = ['x64', 'arm64'];

let loaded: NativeCalls | null = null;

/**
 * Returns the calls, loading them once per thread.
 *
 * @throws Error if the platform is not supported, or koffi does not load
 */
export function nativeCalls(): NativeCalls {
  loaded ??= load();
  return loaded;
}

function load(): NativeCalls {
  if (process.platform !== 'linux') throw new Error(`requires Linux, not ${process.platform}`);
  if (!ARCHITECTURES.includes(process.arch) || endianness() !== 'LE') {
    throw new Error(`requires ${ARCHITECTURES.join(' or ')}, not ${process.arch}`);
  }
  const koffi = requireKoffi();
  const own = koffi.load(null);
  const raw = {
    socket: own.func('socket', 'int', ['int', 'int', 'int']) as NativeCalls['socket'],
    accept4: own.func('accept4', 'int', ['int', 'uintptr_t', 'uintptr_t', 'int']) as NativeCalls['accept4'],
    close: own.func('close', 'int', ['int']) as NativeCalls['close'],
    epollCreate: own.func('epoll_create1', 'int', ['int']) as NativeCalls['epollCreate'],
  };
  // Calls that open or close descriptors update the thread's table. `Pipe` records its own two ends.
  const opened = (fd: number): number => {
    noteOpen(fd);
    return fd;
  };
  return {
    socket: (domain, type, protocol) => opened(raw.socket(domain, type, protocol)),
    bind: own.func('bind', 'int', ['int', 'uintptr_t', 'uint32_t']),
    listen: own.func('listen', 'int', ['int', 'int']),
    accept4: (fd, address, length, flags) => opened(raw.accept4(fd, address, length, flags)),
    connect: own.func('connect', 'int', ['int', 'uintptr_t', 'uint32_t']),
    getsockopt: own.func('getsockopt', 'int', ['int', 'int', 'int', 'uintptr_t', 'uintptr_t']),
    getsockname: own.func('getsockname', 'int', ['int', 'uintptr_t', 'uintptr_t']),
    getpeername: own.func('getpeername', 'int', ['int', 'uintptr_t', 'uintptr_t']),
    setsockopt: own.func('setsockopt', 'int', ['int', 'int', 'int', 'uintptr_t', 'uint32_t']),
    recv: own.func('recv', 'intptr_t', ['int', 'uintptr_t', 'size_t', 'int']),
    send: own.func('send', 'intptr_t', ['int', 'uintptr_t', 'size_t', 'int']),
    pipe2: own.func('pipe2', 'int', ['uintptr_t', 'int']),
    // Both are variadic. On both architectures, integer arguments go in registers as for other functions.
    fcntl: own.func('fcntl', 'int', ['int', 'int', 'intptr_t']),
    ioctl: own.func('ioctl', 'int', ['int', 'size_t', 'uintptr_t']),
    dup3: own.func('dup3', 'int', ['int', 'int', 'int']),
    madvise: own.func('madvise', 'int', ['uintptr_t', 'size_t', 'int']),
    pageSize: own.func('getpagesize', 'int', []),
    clockTime: own.func('clock_gettime', 'int', ['int', 'uintptr_t']),
    mallopt: optional(() => own.func('mallopt', 'int', ['int', 'int'])),
    mallocTrim: optional(() => own.func('malloc_trim', 'int', ['size_t'])),
    read: own.func('read', 'intptr_t', ['int', 'uintptr_t', 'size_t']),
    preadv2: optional(() => own.func('preadv2', 'intptr_t', ['int', 'uintptr_t', 'int', 'int64_t', 'int'])),
    splice: own.func('splice', 'intptr_t', ['int', 'uintptr_t', 'int', 'uintptr_t', 'size_t', 'uint32_t']),
    shutdown: own.func('shutdown', 'int', ['int', 'int']),
    close: (fd) => {
      noteClosing(fd);
      return raw.close(fd);
    },
    epollCreate: (flags) => opened(raw.epollCreate(flags)),
    epollControl: own.func('epoll_ctl', 'int', ['int', 'int', 'int', 'uintptr_t']),
    epollWait: own.func('epoll_wait', 'int', ['int', 'uintptr_t', 'int', 'int']),
    parseAddress: own.func('inet_pton', 'int', ['int', 'str', 'uintptr_t']),
    formatAddress: own.func('inet_ntop', 'str', ['int', 'uintptr_t', 'uintptr_t', 'uint32_t']),
    interfaceIndex: own.func('if_nametoindex', 'uint32_t', ['str']),
    nodeLoop: own.func('napi_get_uv_event_loop', 'int', ['uintptr_t', 'uintptr_t']),
    nodeLoopDescriptor: own.func('uv_backend_fd', 'int', ['uintptr_t']),
    walk: walkWith(koffi, own),
    handleType: own.func('uv_handle_get_type', 'int', ['uintptr_t']),
    handleSize: own.func('uv_handle_size', 'size_t', ['int']),
    isActive: own.func('uv_is_active', 'int', ['uintptr_t']),
    checkStop: own.func('uv_check_stop', 'int', ['uintptr_t']),
    checkStart: own.func('uv_check_start', 'int', ['uintptr_t', 'uintptr_t']),
    copy: own.func('memcpy', 'uintptr_t', ['uintptr_t', 'uintptr_t', 'size_t']),
    textLength: own.func('strnlen', 'size_t', ['uintptr_t', 'size_t']),
    readPointer: (address) => koffi.decode(BigInt(address), 'uintptr_t') as number,
    errno: () => koffi.errno(),
    addressOf: (bytes) => Number(koffi.address(bytes)),
    // The type says object, but the value is a number.
    environment: koffi.node.env as unknown as bigint,
  };
}

function walkWith(koffi: typeof Koffi, own: Koffi.LibraryHandle): NativeCalls['walk'] {
  const visitor = koffi.pointer(koffi.proto('void', ['uintptr_t', 'uintptr_t']));
  const walk = own.func('uv_walk', 'void', ['uintptr_t', visitor, 'uintptr_t']);
  return (loop, callback) => void walk(loop, (handle: number) => callback(handle), 0);
}

function optional<T>(find: () => T): T | null {
  try {
    return find();
  } catch {
    return null;
  }
}

/** Takes and returns the types given when it was declared. */
type NativeFunction = ReturnType<Koffi.LibraryHandle['func']>;

/**
 * Finds a function that the process exports, such as one from a library in the Node binary. Only this room
 * may call it: a wrong address crashes the process.
 *
 * @param result a koffi type: addresses are `uintptr_t`
 * @throws Error if system calls are not supported, or the process exports no such function
 */
export function nativeFunction(name: string, result: string, parameters: readonly string[]): NativeFunction {
  nativeCalls();
  return requireKoffi()
    .load(null)
    .func(name, result, [...parameters]);
}

/**
 * A function for C code to call: on the thread that created it, and only during a call of {@link
 * nativeFunction}.
 */
export interface NativeCallback {
  readonly address: number;
  /** Releases the function. C code must not call it afterwards. */
  release: () => void;
}

/** @param callback must not throw */
export function nativeCallback(
  result: string,
  parameters: readonly string[],
  callback: (...values: number[]) => number,
): NativeCallback {
  nativeCalls();
  const koffi = requireKoffi();
  const pointer = koffi.register(callback, koffi.pointer(koffi.proto(result, [...parameters])));
  return { address: Number(pointer), release: () => koffi.unregister(pointer) };
}

/** Loads koffi without `import`, so that everything else works on platforms without it. */
function requireKoffi(): typeof Koffi {
  try {
    return createRequire(import.meta.url)('koffi') as typeof Koffi;
  } catch (error) {
    const [line = ''] = messageOf(error).split('\n');
    const problem = line.startsWith("Cannot find module 'koffi'")
      ? 'the package koffi is not installed (npm installs it without --omit=optional)'
      : `cannot load the package koffi: ${line}`;
    throw new Error(problem, { cause: error });
  }
}
