import type { HttpResponse } from 'uWebSockets.js';
import { bytesOfPem } from '../../core/certificate/pem.ts';
import { readClientCertificate, type ClientCertificate } from '../../wire/tls/client-certificate.ts';

const NO_CERTIFICATE = 'a client certificate is required\n';

/**
 * Returns the certificate of a request's connection. BoringSSL has verified it against the App's
 * `ca_file_name`.
 *
 * @param response response of an App with TLS, during the request's callback
 * @returns null without a certificate
 */
export function certificateOf(response: HttpResponse): ClientCertificate | null {
  const pem = response.getX509Certificate();
  return pem === '' ? null : readClientCertificate(bytesOfPem(pem));
}

/**
 * Refuses a request from a client without a certificate, and closes its connection. uWS cannot require a
 * certificate in the handshake: it sets SSL_VERIFY_PEER without SSL_VERIFY_FAIL_IF_NO_PEER_CERT (20.66 to
 * 20.68, no upstream issue known). Needed until uWS has an option for that.
 */
export function refuseWithoutCertificate(response: HttpResponse): void {
  response.cork(() => {
    response.writeStatus('403 Forbidden');
    response.writeHeader('Content-Type', 'text/plain; charset=utf-8');
    response.end(NO_CERTIFICATE, true);
  });
}
