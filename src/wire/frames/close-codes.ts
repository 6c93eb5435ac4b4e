/** WebSocket close codes (RFC 6455 section 7.4, and the IANA registry). */

export const CLOSE_NORMAL = 1000;
export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_PROTOCOL_ERROR = 1002;
/** Never sent. Stands for a received close frame without a code. */
export const CLOSE_NO_STATUS = 1005;
/** Never sent. Stands for a connection that ended without a close frame. */
export const CLOSE_ABNORMAL = 1006;
export const CLOSE_POLICY_VIOLATION = 1008;
export const CLOSE_MESSAGE_TOO_BIG = 1009;
export const CLOSE_SERVICE_RESTART = 1012;
export const CLOSE_TRY_AGAIN_LATER = 1013;

/** Reports whether a close frame may carry the code: 1000 to 1014 except 1004 to 1006, and 3000 to 4999. */
export function isSendableCloseCode(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}

/** Returns the metric label of a code: 1000 to 1015, or a range. Peers cannot invent labels. */
export function closeCodeLabel(code: number): string {
  if (code >= 1000 && code <= 1015) return String(code);
  if (code >= 3000 && code <= 3999) return '3xxx';
  if (code >= 4000 && code <= 4999) return '4xxx';
  return 'other';
}
