/**
 * The functions of OpenSSL 3 that this room calls, as the Node binary exports them. This is the only file that names them.
 * Macros of OpenSSL's headers are functions here.
 */
import { messageOf } from '../core/errors.ts';
import { nativeFunction as native } from './native-calls.ts';

/**
 * All arguments are numbers, addresses too. Unless a comment says otherwise, a function returns 1 for success and 0 or less for
 * a failure, or the address of an object and 0 for none. The caller frees that object, unless the comment says "lent".
 */
export interface OpenSsl {
  readonly clearErrors: () => void;
  /** Removes the oldest error of this thread, and returns it; 0 for none. */
  readonly takeError: () => number;
  /** Returns the oldest error of this thread, which stays; 0 for none. */
  readonly peekError: () => number;
  /** Does the same, and stores the address of the error's own text, which is lent, and its flags. */
  readonly peekErrorData: (data: number, flags: number) => number;
  readonly errorText: (error: number) => string | null;

  readonly newContext: () => number;
  /** Makes a context for the other end: it trusts every server. */
  readonly newClientContext: () => number;
  readonly freeContext: (context: number) => void;
  /** Sets what all contexts have: modes, options, no session cache, no early data, read-ahead. */
  readonly setUp: (context: number) => boolean;
  readonly setMinVersion: (context: number, version: number) => number;
  readonly setMaxVersion: (context: number, version: number) => number;
  /** @param list address of a text that ends in a zero byte, here and in the next two */
  readonly setCiphers: (context: number, list: number) => number;
  readonly setCipherSuites: (context: number, list: number) => number;
  readonly setGroups: (context: number, list: number) => number;
  readonly setSessionIdContext: (context: number, bytes: number, length: number) => number;
  readonly setSessionTimeout: (context: number, seconds: number) => void;
  readonly setProtocolCallback: (context: number, callback: number, argument: number) => void;
  readonly setTicketCallback: (context: number, callback: number) => number;
  readonly useCertificate: (context: number, certificate: number) => number;
  /** Adds to the chain of the certificate that was used last. The caller still frees the certificate. */
  readonly addChainCertificate: (context: number, certificate: number) => number;
  readonly usePrivateKey: (context: number, key: number) => number;
  readonly checkPrivateKey: (context: number) => number;
  readonly askForCertificate: (context: number, isRequired: boolean, maxDepth: number) => void;
  /** Names an authority that certificates of clients may come from. */
  readonly addClientAuthority: (context: number, certificate: number) => number;
  /** Lent. */
  readonly trustStore: (context: number) => number;
  /** The caller still frees the certificate. */
  readonly trust: (store: number, certificate: number) => number;
  /** The caller still frees the list. */
  readonly addRevocations: (store: number, list: number) => number;
  readonly checkRevocations: (store: number) => number;

  /** The bytes are not copied, and must live as long as the reader. */
  readonly newReader: (bytes: number, length: number) => number;
  readonly freeReader: (reader: number) => void;
  /** @param password of the block: the address of text that ends in a zero byte */
  readonly readCertificate: (reader: number, password: number) => number;
  readonly readRevocations: (reader: number, password: number) => number;
  readonly readPrivateKey: (reader: number, password: number) => number;
  readonly freeCertificate: (certificate: number) => void;
  readonly freeRevocations: (list: number) => void;
  readonly freeKey: (key: number) => void;
  /** Lent. */
  readonly keyOf: (certificate: number) => number;
  readonly typeOfKey: (key: number) => number;
  /**
   * Returns the bytes of a certificate in DER, or a negative number.
   *
   * @param place 0 to write nothing; else the address of a pointer to the memory for them
   */
  readonly encode: (certificate: number, place: number) => number;

  readonly newStream: (context: number) => number;
  readonly freeStream: (stream: number) => void;
  readonly setDescriptor: (stream: number, fd: number) => number;
  readonly accept: (stream: number) => number;
  readonly connect: (stream: number) => number;
  /** Names the server that a client asks for. @param name address of a text that ends in a zero byte; it is copied */
  readonly setServerName: (stream: number, name: number) => number;
  /** Returns the session of a connection, which the caller frees; 0 without one. */
  readonly session: (stream: number) => number;
  /** Lets a client resume a session. The caller still frees it. */
  readonly resume: (stream: number, session: number) => number;
  readonly freeSession: (session: number) => void;
  /**
   * Returns the number of bytes; 0 or less for none. A read that finds a message of the protocol handles it, and wants to be
   * repeated at once. It has not met the end of what the socket has unless errno is EAGAIN.
   */
  readonly read: (stream: number, bytes: number, length: number) => number;
  readonly write: (stream: number, bytes: number, length: number) => number;
  readonly hasPending: (stream: number) => number;
  readonly shutdown: (stream: number) => number;
  /** Whether the client has asked for new keys and is not answered yet. The next write or handshake message sends the answer. */
  readonly owesKeyUpdate: (stream: number) => boolean;
  /** Returns memory that a stream can write to. */
  readonly newMemory: () => number;
  /** Lets a stream write to memory, and free it. */
  readonly setOutput: (stream: number, memory: number) => void;
  /** Lets a stream write to its socket. Frees its memory. */
  readonly setOutputDescriptor: (stream: number, fd: number) => number;
  /** Takes bytes out of memory. Returns their number; 0 or less for none. */
  readonly readMemory: (memory: number, bytes: number, length: number) => number;
  /** Whether a read has met the end of the socket. */
  readonly hasMetEnd: (stream: number) => boolean;
  /** Returns an {@link Outcome}. @param result of the call before, which has failed */
  readonly outcome: (stream: number, result: number) => number;
  /** Lent. */
  readonly contextOf: (stream: number) => number;
  readonly versionOf: (stream: number) => number;
  readonly peerCertificate: (stream: number) => number;
  /** Returns 0 if the client's certificate is trusted, or if it has none. */
  readonly verifyResult: (stream: number) => number;
  readonly verifyText: (result: number) => string;

  /** Chooses the first of the server's protocols that the client has, too. Returns 1 if there is one. */
  readonly chooseProtocol: (
    address: number,
    length: number,
    server: number,
    serverLength: number,
    client: number,
    clientLength: number,
  ) => number;
  /** AES-256-CBC. */
  readonly newTicketCipher: () => number;
  readonly freeCipher: (cipher: number) => void;
  readonly encryptWith: (operation: number, cipher: number, key: number, iv: number, parameters: 0) => number;
  readonly decryptWith: (operation: number, cipher: number, key: number, iv: number, parameters: 0) => number;
  readonly setMacParameters: (mac: number, parameters: number) => number;
  readonly randomBytes: (bytes: number, length: number) => number;
}

export const TLS_1_2 = 0x0303;
export const TLS_1_3 = 0x0304;

/** What a call that has not succeeded needs or has met (SSL_get_error). */
export const Outcome = { BREACH: 1, WANTS_READ: 2, WANTS_WRITE: 3, SYSTEM: 5, CLOSED: 6 } as const;

/** What callbacks answer (`SSL_TLSEXT_ERR_…`). */
export const PROTOCOL_CHOSEN = 0;
export const NO_PROTOCOL = 3;

/** OpenSSL's library whose errors are those of TLS (ERR_LIB_SSL). */
export const LIBRARY_TLS = 20;

/** Reasons of errors: SSL_R_CERTIFICATE_VERIFY_FAILED, SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, PEM_R_NO_START_LINE. */
export const UNTRUSTED_CERTIFICATE = 134;
export const NO_CERTIFICATE = 199;
export const NO_PEM_BLOCK = 108;

/** `OSSL_PARAM`: types, the length of one, and a `return_size` that has not been set (OSSL_PARAM_UNMODIFIED). */
export const PARAMETER_TEXT = 4;
export const PARAMETER_BYTES = 5;
export const PARAMETER_SIZE = 40;
export const UNMODIFIED = 0xffff_ffff_ffff_ffffn;

const SSL_CTRL_MODE = 33;
const SSL_CTRL_SET_READ_AHEAD = 41;
const SSL_CTRL_SET_SESS_CACHE_MODE = 44;
const SSL_CTRL_SET_TLSEXT_HOSTNAME = 55;
const SSL_CTRL_CLEAR_MODE = 78;
const SSL_CTRL_CHAIN_CERT = 89;
const SSL_CTRL_SET_GROUPS_LIST = 92;
const SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
const SSL_CTRL_SET_MAX_PROTO_VERSION = 124;

/**
 * ENABLE_PARTIAL_WRITE and ACCEPT_MOVING_WRITE_BUFFER: writes behave like `send`. NO_AUTO_CHAIN: a chain is what the file has.
 * RELEASE_BUFFERS: idle connections have no buffers.
 */
const MODES = 0x1 | 0x2 | 0x8 | 0x10;
/** Makes a read go on behind messages of the protocol, which a client may send without end. */
const SSL_MODE_AUTO_RETRY = 0x4;
/**
 * IGNORE_UNEXPECTED_EOF: without it OpenSSL answers each FIN that has no close_notify before it with an alert, and writes fail.
 * NO_COMPRESSION, CIPHER_SERVER_PREFERENCE, NO_RENEGOTIATION. No compressed certificates in either direction, whose size only
 * shows when they are inflated.
 */
const OPTIONS = 2 ** 7 + 2 ** 17 + 2 ** 22 + 2 ** 30 + 2 ** 32 + 2 ** 33;

const BIO_CTRL_EOF = 2;
const SSL_KEY_UPDATE_NONE = -1;

const SSL_VERIFY_PEER = 1;
const SSL_VERIFY_FAIL_IF_NO_PEER_CERT = 2;
/** X509_V_FLAG_CRL_CHECK and X509_V_FLAG_CRL_CHECK_ALL: every authority of a chain needs a list. */
const REVOCATION_FLAGS = 0x4 | 0x8;

/** Session tickets that a full handshake issues. OpenSSL's default of two costs 5% more CPU, and most clients open one connection at a time. */
const TICKETS = 1;

const MAJOR_VERSION = 3;

let loaded: OpenSsl | null = null;

/** Returns the functions, which each thread looks up once. Throws if system calls or OpenSSL 3 are missing. */
export function openssl(): OpenSsl {
  loaded ??= load();
  return loaded;
}

/** Returns the functions; null if this thread has not used them. */
export function usedOpenssl(): OpenSsl | null {
  return loaded;
}

/** Returns in a few words why OpenSSL cannot be used here; null if it can. */
export function opensslProblem(): string | null {
  try {
    openssl();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** Types of koffi: an address, numbers with and without a sign, text, and nothing. */
const A = 'uintptr_t';
const I = 'int';
const U = 'uint32_t';
const S = 'str';
const V = 'void';

function load(): OpenSsl {
  const version = (native('OpenSSL_version_num', 'ulong', []) as () => number)();
  const major = Math.floor(version / 2 ** 28);
  if (major !== MAJOR_VERSION)
    throw new Error(`OpenSSL ${MAJOR_VERSION} is needed, and Node has OpenSSL ${major}`);
  const calls = innerCalls();
  return {
    clearErrors: native('ERR_clear_error', V, []),
    takeError: native('ERR_get_error', 'ulong', []),
    peekError: native('ERR_peek_error', 'ulong', []),
    peekErrorData: native('ERR_peek_error_data', 'ulong', [A, A]),
    errorText: native('ERR_reason_error_string', S, ['ulong']),

    newContext: () => calls.newContext(calls.method()),
    newClientContext: () => calls.newContext(calls.clientMethod()),
    freeContext: native('SSL_CTX_free', V, [A]),
    setUp: (context) => {
      calls.control(context, SSL_CTRL_MODE, MODES, 0);
      calls.control(context, SSL_CTRL_CLEAR_MODE, SSL_MODE_AUTO_RETRY, 0);
      calls.control(context, SSL_CTRL_SET_READ_AHEAD, 1, 0);
      calls.control(context, SSL_CTRL_SET_SESS_CACHE_MODE, 0, 0);
      calls.setOptions(context, OPTIONS);
      return calls.setMaxEarlyData(context, 0) === 1 && calls.setTicketCount(context, TICKETS) === 1;
    },
    setMinVersion: (context, number) => calls.control(context, SSL_CTRL_SET_MIN_PROTO_VERSION, number, 0),
    setMaxVersion: (context, number) => calls.control(context, SSL_CTRL_SET_MAX_PROTO_VERSION, number, 0),
    setCiphers: native('SSL_CTX_set_cipher_list', I, [A, A]),
    setCipherSuites: native('SSL_CTX_set_ciphersuites', I, [A, A]),
    setGroups: (context, list) => calls.control(context, SSL_CTRL_SET_GROUPS_LIST, 0, list),
    setSessionIdContext: native('SSL_CTX_set_session_id_context', I, [A, A, U]),
    setSessionTimeout: native('SSL_CTX_set_timeout', 'long', [A, 'long']),
    setProtocolCallback: native('SSL_CTX_set_alpn_select_cb', V, [A, A, A]),
    setTicketCallback: native('SSL_CTX_set_tlsext_ticket_key_evp_cb', I, [A, A]),
    useCertificate: native('SSL_CTX_use_certificate', I, [A, A]),
    addChainCertificate: (context, certificate) =>
      calls.control(context, SSL_CTRL_CHAIN_CERT, 1, certificate),
    usePrivateKey: native('SSL_CTX_use_PrivateKey', I, [A, A]),
    checkPrivateKey: native('SSL_CTX_check_private_key', I, [A]),
    askForCertificate: (context, isRequired, maxDepth) => {
      const mode = isRequired ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER;
      calls.setVerify(context, mode, 0);
      calls.setVerifyDepth(context, maxDepth);
    },
    addClientAuthority: native('SSL_CTX_add_client_CA', I, [A, A]),
    trustStore: native('SSL_CTX_get_cert_store', A, [A]),
    trust: native('X509_STORE_add_cert', I, [A, A]),
    addRevocations: native('X509_STORE_add_crl', I, [A, A]),
    checkRevocations: (store) => calls.setStoreFlags(store, REVOCATION_FLAGS),

    newReader: native('BIO_new_mem_buf', A, [A, I]),
    freeReader: native('BIO_free_all', V, [A]),
    readCertificate: (reader, password) => calls.readCertificate(reader, 0, 0, password),
    readRevocations: (reader, password) => calls.readRevocations(reader, 0, 0, password),
    readPrivateKey: (reader, password) => calls.readPrivateKey(reader, 0, 0, password),
    freeCertificate: native('X509_free', V, [A]),
    freeRevocations: native('X509_CRL_free', V, [A]),
    freeKey: native('EVP_PKEY_free', V, [A]),
    keyOf: native('X509_get0_pubkey', A, [A]),
    typeOfKey: native('EVP_PKEY_get_base_id', I, [A]),
    encode: native('i2d_X509', I, [A, A]),

    newStream: native('SSL_new', A, [A]),
    freeStream: native('SSL_free', V, [A]),
    setDescriptor: native('SSL_set_fd', I, [A, I]),
    accept: native('SSL_accept', I, [A]),
    connect: native('SSL_connect', I, [A]),
    setServerName: (stream, name) => calls.controlStream(stream, SSL_CTRL_SET_TLSEXT_HOSTNAME, 0, name),
    session: native('SSL_get1_session', A, [A]),
    resume: native('SSL_set_session', I, [A, A]),
    freeSession: native('SSL_SESSION_free', V, [A]),
    read: native('SSL_read', I, [A, A, I]),
    write: native('SSL_write', I, [A, A, I]),
    hasPending: native('SSL_has_pending', I, [A]),
    shutdown: native('SSL_shutdown', I, [A]),
    owesKeyUpdate: (stream) => calls.keyUpdate(stream) !== SSL_KEY_UPDATE_NONE,
    newMemory: () => calls.newBio(calls.memoryMethod()),
    setOutput: native('SSL_set0_wbio', V, [A, A]),
    setOutputDescriptor: native('SSL_set_wfd', I, [A, I]),
    readMemory: native('BIO_read', I, [A, A, I]),
    hasMetEnd: (stream) => calls.controlReader(calls.readerOf(stream), BIO_CTRL_EOF, 0, 0) === 1,
    outcome: native('SSL_get_error', I, [A, I]),
    contextOf: native('SSL_get_SSL_CTX', A, [A]),
    versionOf: native('SSL_version', I, [A]),
    peerCertificate: native('SSL_get1_peer_certificate', A, [A]),
    verifyResult: native('SSL_get_verify_result', 'long', [A]),
    verifyText: native('X509_verify_cert_error_string', S, ['long']),

    chooseProtocol: native('SSL_select_next_proto', I, [A, A, A, U, A, U]),
    newTicketCipher: () => calls.fetchCipher(0, 'AES-256-CBC', 0),
    freeCipher: native('EVP_CIPHER_free', V, [A]),
    encryptWith: native('EVP_EncryptInit_ex2', I, [A, A, A, A, A]),
    decryptWith: native('EVP_DecryptInit_ex2', I, [A, A, A, A, A]),
    setMacParameters: native('EVP_MAC_CTX_set_params', I, [A, A]),
    randomBytes: native('RAND_bytes', I, [A, I]),
  };
}

/** Functions behind those of {@link OpenSsl}. */
interface InnerCalls {
  readonly method: () => number;
  readonly clientMethod: () => number;
  readonly newContext: (method: number) => number;
  readonly control: (context: number, command: number, number: number, address: number) => number;
  readonly controlStream: (stream: number, command: number, number: number, address: number) => number;
  readonly setOptions: (context: number, options: number) => number;
  readonly setMaxEarlyData: (context: number, bytes: number) => number;
  readonly setTicketCount: (context: number, count: number) => number;
  readonly setVerify: (context: number, mode: number, callback: 0) => void;
  readonly setVerifyDepth: (context: number, depth: number) => void;
  readonly setStoreFlags: (store: number, flags: number) => number;
  readonly readCertificate: ReadPem;
  readonly readRevocations: ReadPem;
  readonly readPrivateKey: ReadPem;
  readonly readerOf: (stream: number) => number;
  readonly controlReader: (reader: number, command: number, number: number, address: number) => number;
  readonly keyUpdate: (stream: number) => number;
  readonly memoryMethod: () => number;
  readonly newBio: (method: number) => number;
  readonly fetchCipher: (library: 0, name: string, properties: 0) => number;
}

type ReadPem = (reader: number, place: 0, callback: 0, password: number) => number;

function innerCalls(): InnerCalls {
  return {
    method: native('TLS_server_method', A, []),
    clientMethod: native('TLS_client_method', A, []),
    newContext: native('SSL_CTX_new', A, [A]),
    control: native('SSL_CTX_ctrl', 'long', [A, I, 'long', A]),
    controlStream: native('SSL_ctrl', 'long', [A, I, 'long', A]),
    setOptions: native('SSL_CTX_set_options', 'uint64_t', [A, 'uint64_t']),
    setMaxEarlyData: native('SSL_CTX_set_max_early_data', I, [A, U]),
    setTicketCount: native('SSL_CTX_set_num_tickets', I, [A, 'size_t']),
    setVerify: native('SSL_CTX_set_verify', V, [A, I, A]),
    setVerifyDepth: native('SSL_CTX_set_verify_depth', V, [A, I]),
    setStoreFlags: native('X509_STORE_set_flags', I, [A, 'ulong']),
    readCertificate: native('PEM_read_bio_X509_AUX', A, [A, A, A, A]),
    readRevocations: native('PEM_read_bio_X509_CRL', A, [A, A, A, A]),
    readPrivateKey: native('PEM_read_bio_PrivateKey', A, [A, A, A, A]),
    readerOf: native('SSL_get_rbio', A, [A]),
    controlReader: native('BIO_ctrl', 'long', [A, I, 'long', A]),
    keyUpdate: native('SSL_get_key_update_type', I, [A]),
    memoryMethod: native('BIO_s_mem', A, []),
    newBio: native('BIO_new', A, [A]),
    fetchCipher: native('EVP_CIPHER_fetch', A, [A, S, A]),
  };
}
