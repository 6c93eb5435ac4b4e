/**
 * Functions of OpenSSL 3 that this room calls. Macros in its headers are functions here.
 *
 * All arguments are numbers, including addresses. Unless documented otherwise, a function returns 1 on
 * success and 0 or less on failure. A function that returns an object returns its address, or 0 for none. The
 * caller frees the object, unless it is documented as borrowed.
 */
export interface OpenSsl {
  readonly clearErrors: () => void;
  /** Removes and returns the oldest error of this thread; 0 for none. */
  readonly takeError: () => number;
  /** Returns the oldest error of this thread without removing it; 0 for none. */
  readonly peekError: () => number;
  /** Like {@link peekError}. Also stores the address of the error's own text, borrowed, and its flags. */
  readonly peekErrorData: (data: number, flags: number) => number;
  readonly errorText: (error: number) => string | null;

  readonly newContext: () => number;
  /** Creates a context for clients, which trusts every server. */
  readonly newClientContext: () => number;
  readonly freeContext: (context: number) => void;
  /** Applies the settings of all contexts: modes, options, no session cache, no early data, read-ahead. */
  readonly setUp: (context: number) => boolean;
  readonly setMinVersion: (context: number, version: number) => number;
  readonly setMaxVersion: (context: number, version: number) => number;
  /** @param list address of NUL-terminated text, as in the next two functions */
  readonly setCiphers: (context: number, list: number) => number;
  readonly setCipherSuites: (context: number, list: number) => number;
  readonly setGroups: (context: number, list: number) => number;
  readonly setSessionIdContext: (context: number, bytes: number, length: number) => number;
  readonly setSessionTimeout: (context: number, seconds: number) => void;
  readonly setProtocolCallback: (context: number, callback: number, argument: number) => void;
  readonly setTicketCallback: (context: number, callback: number) => number;
  readonly useCertificate: (context: number, certificate: number) => number;
  /** Appends to the chain of the last certificate used. The caller still frees the certificate. */
  readonly addChainCertificate: (context: number, certificate: number) => number;
  readonly usePrivateKey: (context: number, key: number) => number;
  readonly checkPrivateKey: (context: number) => number;
  readonly askForCertificate: (context: number, isRequired: boolean, maxDepth: number) => void;
  /** Names a certificate authority to clients that are asked for a certificate. */
  readonly addClientAuthority: (context: number, certificate: number) => number;
  /** Borrowed. */
  readonly trustStore: (context: number) => number;
  /** The caller still frees the certificate. */
  readonly trust: (store: number, certificate: number) => number;
  /** The caller still frees the list. */
  readonly addRevocations: (store: number, list: number) => number;
  readonly checkRevocations: (store: number) => number;

  /** Does not copy the bytes, which must outlive the reader. */
  readonly newReader: (bytes: number, length: number) => number;
  readonly freeReader: (reader: number) => void;
  /** @param password address of the NUL-terminated password of the block */
  readonly readCertificate: (reader: number, password: number) => number;
  readonly readRevocations: (reader: number, password: number) => number;
  readonly readPrivateKey: (reader: number, password: number) => number;
  readonly freeCertificate: (certificate: number) => void;
  readonly freeRevocations: (list: number) => void;
  readonly freeKey: (key: number) => void;
  /** Borrowed. */
  readonly keyOf: (certificate: number) => number;
  readonly typeOfKey: (key: number) => number;
  /**
   * Returns the length of a certificate in DER, or a negative number.
   *
   * @param place 0 to write nothing; otherwise the address of a pointer to the output memory
   */
  readonly encode: (certificate: number, place: number) => number;

  readonly newStream: (context: number) => number;
  readonly freeStream: (stream: number) => void;
  readonly setDescriptor: (stream: number, fd: number) => number;
  readonly accept: (stream: number) => number;
  readonly connect: (stream: number) => number;
  /**
   * Sets the server name that a client requests.
   *
   * @param name address of NUL-terminated text, which is copied
   */
  readonly setServerName: (stream: number, name: number) => number;
  /** Returns the session of a connection, which the caller frees; 0 without one. */
  readonly session: (stream: number) => number;
  /** Lets a client resume a session. The caller still frees it. */
  readonly resume: (stream: number, session: number) => number;
  readonly freeSession: (session: number) => void;
  /**
   * Returns the number of bytes; 0 or less for none. A read that finds a protocol message handles it, and
   * must be repeated at once. The socket is drained only if errno is EAGAIN.
   */
  readonly read: (stream: number, bytes: number, length: number) => number;
  readonly write: (stream: number, bytes: number, length: number) => number;
  readonly hasPending: (stream: number) => number;
  readonly shutdown: (stream: number) => number;
  /** Whether a client's KeyUpdate is unanswered. The next write or handshake message sends the answer. */
  readonly owesKeyUpdate: (stream: number) => boolean;
  /** Creates memory that a stream can write to. */
  readonly newMemory: () => number;
  /** Makes a stream write to memory, which the stream then owns and frees. */
  readonly setOutput: (stream: number, memory: number) => void;
  /** Makes a stream write to its socket. Frees its memory. */
  readonly setOutputDescriptor: (stream: number, fd: number) => number;
  /** Takes bytes out of memory. Returns their number; 0 or less for none. */
  readonly readMemory: (memory: number, bytes: number, length: number) => number;
  /** Whether a read reached the end of the socket. */
  readonly hasMetEnd: (stream: number) => boolean;
  /** Returns an `Outcome`. @param result result of the previous call, which failed */
  readonly outcome: (stream: number, result: number) => number;
  /** Borrowed. */
  readonly contextOf: (stream: number) => number;
  readonly versionOf: (stream: number) => number;
  readonly peerCertificate: (stream: number) => number;
  /** Returns 0 if the client's certificate is trusted, or if it has none. */
  readonly verifyResult: (stream: number) => number;
  readonly verifyText: (result: number) => string;

  /** Chooses the first of the server's protocols that the client offers. Returns 1 if there is one. */
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
