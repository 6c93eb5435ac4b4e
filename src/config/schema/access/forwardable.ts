/** Names of request headers that a credential may set for endpoints. */
import type { Format } from '../../syntax/formats.ts';
import { FormatError, describe } from '../../syntax/formats.ts';
import { headerName } from '../route/route-match.ts';

/**
 * Headers that frame messages, manage connections, or describe the client: the proxy itself writes them.
 * Cookie and Authorization carry client credentials, and forwarded headers are first removed from every
 * request.
 */
const PROXY_HEADERS =
  /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|content-length|content-encoding|content-type|upgrade|expect|date|via|host|origin|cookie|authorization|forwarded|x-real-ip|x-request-id|x-forwarded-.*|sec-websocket-.*)$/;

/** Name of a header that a credential sets for endpoints. Returned in lower case. */
export const forwardable: Format<string> = (value) => {
  const name = headerName(value);
  if (name.includes('_')) {
    const hyphens = describe(name.replaceAll('_', '-'));
    throw new FormatError(
      `${describe(name)} has an underscore, which many servers take for a hyphen: write ${hyphens}`,
    );
  }
  if (!PROXY_HEADERS.test(name)) return name;
  throw new FormatError(
    `${describe(name)} is set by clients or the proxy itself, and cannot carry a credential's data: ` +
      'choose a name such as x-user',
  );
};
