import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { Agent, type buildConnector, type Dispatcher, Pool, ProxyAgent } from 'undici'
import { OptionsError, type UplinkOptions } from '../options.ts'
import type { EgressGuard } from './egress.ts'

/** What is configured of the connections to one server. */
export type ConnectionOptions = Pick<
  UplinkOptions,
  'timeout' | 'ca' | 'strict_ssl' | 'http_proxy' | 'https_proxy' | 'no_proxy' | 'agent_options'
>

/** The connections to one uplink. */
export interface Connections {
  /** The dispatcher that requests for `url` go through: direct, or by a proxy. */
  dispatcherFor(url: URL): Dispatcher
  /** Ends every connection, and every request that is still on one. */
  close(): Promise<void>
}

type Connect = buildConnector.BuildOptions & { readonly timeout: number }

/** Cargo gives up after 30 s; a connection that takes 5 s will not come. */
const MAX_CONNECT_TIMEOUT = 5_000
/** Most servers end a connection that nobody used for a minute; a new one over TLS takes two round trips. */
const IDLE_MS = 50_000
const HTTP2 = { allowH2: true, preferH2: true }
/**
 * Bytes that an uplink may send over HTTP/2 before it hears that we took them. From 50 ms away it sends 20 times as many in
 * a second and no more: by itself undici allows an answer 5 MB/s, a crate of 10 MB then takes 2 s, and 0.26 s like this
 * (`npm run bench`). So many of an answer are in memory when the disk that takes it in is slower than the network.
 */
const ANSWER_WINDOW = 4 * 1024 * 1024
/** The same for all answers on a connection, where those that nobody takes in do not count. */
const CONNECTION_WINDOW = 16 * 1024 * 1024
const PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

/**
 * Opens no connection yet. HTTP/2 is spoken where the uplink offers it. `key` is where the options are written.
 * @throws {OptionsError} when `ca` is no certificate
 */
export function createConnections(
  options: ConnectionOptions,
  guard: EgressGuard,
  key = `uplinks.${guard.uplink}`,
): Connections {
  // To undici, 0 is no limit, and a fraction is an error.
  const timeout = Math.max(1, Math.ceil(options.timeout))
  const limits = {
    connections: options.agent_options.maxSockets,
    headersTimeout: timeout,
    bodyTimeout: timeout,
    keepAliveTimeout: IDLE_MS,
    initialWindowSize: ANSWER_WINDOW,
    connectionWindowSize: CONNECTION_WINDOW,
  }
  const connect = {
    timeout: Math.min(timeout, MAX_CONNECT_TIMEOUT),
    rejectUnauthorized: options.strict_ssl,
    ...(options.ca !== undefined && { secureContext: trust(options.ca, `${key}.ca`) }),
  }
  const direct = new Agent({ ...limits, allowH2: true, connect: guard.connector({ ...connect, ...HTTP2 }) })
  const throughProxy = (uri: string) => createProxy(uri, limits, connect)

  const proxies = new Map<string, Dispatcher>()
  if (options.http_proxy !== undefined) proxies.set('http:', throughProxy(options.http_proxy))
  if (options.https_proxy !== undefined) proxies.set('https:', throughProxy(options.https_proxy))
  return {
    dispatcherFor: (url) =>
      isExempt(url, options.no_proxy) ? direct : (proxies.get(url.protocol) ?? direct),
    async close() {
      await Promise.all([direct, ...proxies.values()].map((dispatcher) => dispatcher.destroy()))
    },
  }
}

/** Whether `no_proxy` names the host of `url`: itself, a domain above it, with or without a port, or `*`. */
export function isExempt(url: URL, noProxy = ''): boolean {
  const port = url.port === '' ? PORTS[url.protocol] : url.port
  return noProxy
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      if (entry === '*') return true
      const bare = entry.replace(/^\*?\./, '')
      const [, name = '', entryPort = port] =
        isIP(bare) === 6 ? [bare, `[${bare}]`] : (/^(.*?)(?::(\d+))?$/.exec(bare) ?? [])
      // Spelled as in a URL: lower case, punycode, the shortest form of IPv6.
      const host = URL.parse(`http://${name}`)?.hostname
      if (host === undefined || entryPort !== port) return false
      return url.hostname === host || url.hostname.endsWith(`.${host}`)
    })
}

function createProxy(uri: string, limits: Pool.Options, connect: Connect): ProxyAgent {
  // By itself undici drops the limits on the way to the proxy, and waits five minutes for it.
  const factory = (origin: string | URL, inner: object) => new Pool(origin, { ...inner, ...limits })
  return new ProxyAgent({
    ...limits,
    uri,
    allowH2: true,
    connectTimeout: connect.timeout,
    requestTls: { ...connect, ...HTTP2 },
    proxyTls: { ...connect, allowH2: false },
    factory,
    clientFactory: factory,
  })
}

/** The system's certificates and those of `ca`: an uplink's `dl` may be on the public internet, its index at home. */
function trust(ca: string, key: string): SecureContext {
  const pem = ca.includes('-----BEGIN') ? ca : readPem(ca, key)
  try {
    new X509Certificate(pem)
  } catch {
    throw new OptionsError([`\`${key}\`: must be a certificate in PEM, or the file of one`])
  }
  return createSecureContext({ ca: [...getCACertificates('default'), pem] })
}

function readPem(file: string, key: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : ''
    throw new OptionsError([`\`${key}\`: cannot read the file \`${file}\`${code}`])
  }
}
