/**
 * OpenSSL's constants, and its functions as the Node binary exports them. Only this file names the functions.
 */
import { messageOf } from '../core/errors.ts';
import { nativeFunction as native } from './native-calls.ts';
import type { OpenSsl } from './openssl-functions.ts';

export const TLS_1_2 = 0x0303;
export const TLS_1_3 = 0x0304;

/** Why a call did not succeed (SSL_get_error). */
export const Outcome = { PROTOCOL_ERROR: 1, WANTS_READ: 2, WANTS_WRITE: 3, SYSTEM: 5, CLOSED: 6 } as const;

/** Results of callbacks (`SSL_TLSEXT_ERR_…`). */
export const PROTOCOL_CHOSEN = 0;
export const NO_PROTOCOL = 3;

/** Library number of TLS errors (ERR_LIB_SSL). */
export const LIBRARY_TLS = 20;

/**
 * Error reasons: SSL_R_CERTIFICATE_VERIFY_FAILED, SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE,
 * PEM_R_NO_START_LINE.
 */
export const UNTRUSTED_CERTIFICATE = 134;
export const NO_CERTIFICATE = 199;
export const NO_PEM_BLOCK = 108;

/** `OSSL_PARAM`: types, its size, and a `return_size` that is not set (OSSL_PARAM_UNMODIFIED). */
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
 * ENABLE_PARTIAL_WRITE and ACCEPT_MOVING_WRITE_BUFFER: writes behave like `send`. NO_AUTO_CHAIN: the chain is
 * exactly that in the file. RELEASE_BUFFERS: idle connections hold no buffers.
 */
const MODES = 0x1 | 0x2 | 0x8 | 0x10;
/** Makes a read continue after protocol messages, which a client could send endlessly. */
const SSL_MODE_AUTO_RETRY = 0x4;
/**
 * IGNORE_UNEXPECTED_EOF: otherwise OpenSSL answers a FIN without close_notify with an alert, and writes fail.
 * NO_COMPRESSION, CIPHER_SERVER_PREFERENCE, NO_RENEGOTIATION. No compressed certificates in either direction:
 * their size is unknown until inflated.
 */
const OPTIONS = 2 ** 7 + 2 ** 17 + 2 ** 22 + 2 ** 30 + 2 ** 32 + 2 ** 33;

const BIO_CTRL_EOF = 2;
const SSL_KEY_UPDATE_NONE = -1;

const SSL_VERIFY_PEER = 1;
const SSL_VERIFY_FAIL_IF_NO_PEER_CERT = 2;
/** X509_V_FLAG_CRL_CHECK and X509_V_FLAG_CRL_CHECK_ALL: every authority in a chain needs a list. */
const REVOCATION_FLAGS = 0x4 | 0x8;

/**
 * Session tickets per full handshake. OpenSSL's default of two costs 5% more CPU. Most clients open one
 * connection at a time.
 */
const TICKETS = 1;

const MAJOR_VERSION = 3;

let loaded: OpenSsl | null = null;

/**
 * Returns the functions, loading them once per thread.
 *
 * @throws Error if system calls or OpenSSL 3 are missing
 */
export function openssl(): OpenSsl {
  loaded ??= load();
  return loaded;
}

/** Returns the functions; null if this thread has not used them. */
export function loadedOpenssl(): OpenSsl | null {
  return loaded;
}

/** Returns a short reason why OpenSSL is unusable here; null if it is usable. */
export function opensslProblem(): string | null {
  try {
    openssl();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** koffi types: an address, signed and unsigned numbers, text, and void. */
const A = 'uintptr_t';
const I = 'int';
const U = 'uint32_t';
const S = 'str';
const V = 'void';

function load(): OpenSsl {
  const version = (native('OpenSSL_version_num', 'ulong', []) as () => number)();
  const major = Math.floor(version / 2 ** 28);
  if (major !== MAJOR_VERSION)
    throw new Error(`requires OpenSSL ${MAJOR_VERSION}, and Node has OpenSSL ${major}`);
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

/** Functions that {@link OpenSsl} wraps. */
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
