/**
 * The functions of OpenSSL 3 that this room calls. Macros of its headers are functions here.
 *
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
  /** Whether a client that has asked for new keys has no answer yet. The next write or handshake message sends it. */
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
  /** Returns an `Outcome`. @param result of the call before, which has failed */
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
