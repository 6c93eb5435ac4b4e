/**
 * Linux constants for sockets, pipes and their descriptors, and settings that all sockets of sluice share.
 * The numbers are equal on x86-64 and arm64 (include/uapi of the kernel).
 */
export const AF_UNSPEC = 0;
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;

export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;
export const F_DUPFD_CLOEXEC = 1030;
export const F_SETPIPE_SZ = 1031;
export const SPLICE_F_MOVE = 1;
export const SPLICE_F_NONBLOCK = 2;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = O_NONBLOCK;
export const SOCK_CLOEXEC = O_CLOEXEC;
export const EPOLL_CLOEXEC = O_CLOEXEC;

export const MSG_PEEK = 0x2;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;

export const SHUT_RD = 0;
export const SHUT_WR = 1;

/** Bytes in the receive buffer. */
export const FIONREAD = 0x541b;
/** Bytes that the peer has not acknowledged. */
export const SIOCOUTQ = 0x5411;

export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_ERROR = 4;
export const SO_RCVBUF = 8;
export const SO_KEEPALIVE = 9;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
export const SO_PEERCRED = 17;
export const SO_ATTACH_FILTER = 26;
export const SO_ACCEPTCONN = 30;
export const SO_ATTACH_REUSEPORT_CBPF = 51;
export const SO_COOKIE = 57;
export const SO_DETACH_REUSEPORT_BPF = 68;

export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_KEEPCNT = 6;
export const TCP_DEFER_ACCEPT = 9;
export const TCP_INFO = 11;
export const TCP_NOTSENT_LOWAT = 25;

/** Offset of the connection state in `struct tcp_info`. */
export const TCP_INFO_STATE = 0;
/** Offset of the round-trip time, in microseconds. */
export const TCP_INFO_ROUND_TRIP = 68;
/** Offset of `tcpi_last_ack_recv`, in milliseconds. */
export const TCP_INFO_LAST_ACK_RECEIVED = 56;
/** Length of the structure through the round-trip time. */
export const TCP_INFO_HEAD_BYTES = 72;
/** Offset of `tcpi_last_data_recv`, in milliseconds. */
export const TCP_INFO_LAST_DATA_RECEIVED = 52;
/** Offset of `tcpi_bytes_received`: 64 bits, since Linux 4.1. */
export const TCP_INFO_RECEIVED = 128;
/** Length of the structure through `tcpi_bytes_received`. */
export const TCP_INFO_BYTES = 136;
export const TCP_ESTABLISHED = 1;
/** States of a connection during its handshake. */
export const TCP_SYN_SENT = 2;
export const TCP_SYN_RECEIVED = 3;
/** State of a connection that failed or ended. */
export const TCP_CLOSED = 7;
/** States of a connection that sent its FIN. */
export const TCP_FIN_WAIT1 = 4;
export const TCP_FIN_WAIT2 = 5;

export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;

/** Max connections that wait to be accepted. net.core.somaxconn may lower it. */
export const BACKLOG = 4096;
/**
 * Idle time before TCP keep-alive probes a peer. Node takes milliseconds, and sends 10 probes at intervals of
 * 1 s.
 */
export const KEEP_ALIVE_IDLE_MS = 60_000;
/** Interval between probes, on sockets that sluice opens by system calls. */
export const KEEP_ALIVE_INTERVAL_MS = 10_000;
/** Max probes on these sockets: a dead peer is detected 2 minutes after its last byte. */
export const KEEP_ALIVE_PROBES = 6;
