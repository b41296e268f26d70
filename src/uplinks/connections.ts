import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import type { UplinkOptions } from '../options.ts'
import type { EgressGuard } from './egress.ts'

/** The connections to one uplink. */
export interface Connections {
  /** The dispatcher that requests for `url` go through: direct, or by a proxy. */
  dispatcherFor(url: URL): Dispatcher
  close(): Promise<void>
}

/** Cargo gives up after 30 s; a connection that takes 5 s will not come (reliability.md F2). */
const MAX_CONNECT_TIMEOUT = 5_000
/** Opens no connection yet. HTTP/2 is spoken where the uplink offers it. */
export function createConnections(options: UplinkOptions, guard: EgressGuard): Connections {
  const tls = { rejectUnauthorized: options.strict_ssl, ...(options.ca !== undefined && { ca: options.ca }) }
  const limits = {
    connections: options.agent_options.maxSockets,
    headersTimeout: options.timeout,
    bodyTimeout: options.timeout,
  }
  const timeout = Math.min(options.timeout, MAX_CONNECT_TIMEOUT)
  const direct = new Agent({
    ...limits,
    allowH2: true,
    connect: guard.connector({ ...tls, timeout, allowH2: true, preferH2: true }),
  })
  const proxies = new Map<string, ProxyAgent>()
  const hosts = { 'http:': options.http_proxy, 'https:': options.https_proxy }
  for (const [protocol, uri] of Object.entries(hosts)) {
    if (uri === undefined || uri === '') continue
    proxies.set(protocol, new ProxyAgent({ ...limits, uri, connectTimeout: timeout, requestTls: tls }))
  }
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
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return noProxy
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((entry) => entry.toLowerCase().replace(/^\*?\./, ''))
    .some((entry) => {
      const [, name = '', entryPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? []
      if (entry === '*') return true
      if (entryPort !== undefined && entryPort !== port) return false
      return url.hostname === name || url.hostname.endsWith(`.${name}`)
    })
}
