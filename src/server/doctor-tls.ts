import { isIP } from 'node:net'
import { connect, type PeerCertificate } from 'node:tls'
import { type Outcomes, ok, wrong } from './doctor-outcome.ts'

const TIMEOUT_MS = 10_000
const DAY_MS = 24 * 60 * 60 * 1000
/** Who renews certificates by a machine does so with a month to go. */
const MIN_DAYS = 14

interface Handshake {
  /** Why the certificate is not trusted here. */
  readonly distrust: string | undefined
  readonly certificate: PeerCertificate
  readonly alpn: string | false | null
}

/** Whether clients get along with the certificate, and get HTTP/2. */
export async function* checkTls(url: URL, now: () => Date): Outcomes {
  const { distrust, certificate, alpn } = await shakeHands(url)
  if (distrust === undefined) yield ok('the certificate is trusted')
  else
    yield wrong(
      `the certificate is not trusted: ${distrust}`,
      'use one of an authority that clients know, with its whole chain; for one of your own, set NODE_EXTRA_CA_CERTS here and `http.cainfo` for cargo',
    )
  const days = Math.floor((Date.parse(certificate.valid_to) - now().getTime()) / DAY_MS)
  if (days >= MIN_DAYS) yield ok(`the certificate is valid for ${days} days`)
  else
    yield wrong(
      days < 0 ? 'the certificate has expired' : `the certificate expires in ${days} days`,
      'renew it, and restart what serves it',
    )
  if (alpn === 'h2') yield ok('HTTP/2 is offered')
  else
    yield wrong(
      'HTTP/2 is not offered: cargo then has two connections instead of one with everything at once',
      'switch HTTP/2 on in the proxy that ends TLS: nginx `http2 on;`',
    )
}

/** Whether a token may be sent there. */
export async function isTrusted(url: URL): Promise<boolean> {
  return url.protocol === 'https:' && (await shakeHands(url)).distrust === undefined
}

function shakeHands({ hostname, port }: URL): Promise<Handshake> {
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ host, port: Number(port || 443), rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] },
      ...(isIP(host) === 0 && { servername: host }),
    })
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no TLS handshake within 10 s')))
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      const { authorized, authorizationError, alpnProtocol } = socket
      resolve({
        distrust: authorized ? undefined : reasonOf(authorizationError),
        certificate: socket.getPeerCertificate(),
        alpn: alpnProtocol,
      })
      socket.destroy()
    })
  })
}

/** Node has a code where its types say an error. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
