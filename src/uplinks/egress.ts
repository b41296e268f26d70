import { lookup as dnsLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import { isPublicAddress } from './address.ts'
import { UplinkError } from './uplink-error.ts'

/** Decides which addresses an uplink, its `dl` and its redirects may make us connect to. */
export interface EgressGuard {
  /** The uplink it stands before. */
  readonly uplink: string
  /**
   * Checks a URL that the uplink named. What a name resolves to is checked by the {@link EgressGuard.connector}, or
   * left to the proxy that resolves it.
   * @throws {UplinkError} `refused` for another scheme, a way down from https, credentials, or a private address
   */
  check(url: URL): void
  /** Whether credentials may go there: the uplink's own origin. */
  isHome(url: URL): boolean
  /** A connector that checks every address, also the ones a name resolves to, before it connects. */
  connector(options: buildConnector.BuildOptions): buildConnector.connector
}

/** No uplink lives at more addresses than this at a time; it bounds what is remembered. */
const MAX_MET = 64
/** Names of this machine that need no DNS (RFC 6761). */
const LOCALHOST = /(^|\.)localhost\.?$/

/**
 * A guard for the uplink at `home`. Its own host may be anywhere, on any port. A private address is else reached only
 * when the uplink was met at it, which is what makes an internal registry work whose `dl` has another name.
 */
export function createEgressGuard(uplink: string, home: URL): EgressGuard {
  const homeHost = bareHost(home)
  /** Private addresses that the uplink was met at, the oldest first. */
  const met = new Set<string>()

  const isAllowed = (address: string) => isPublicAddress(address) || address === homeHost || met.has(address)
  const refused = (what: string) => new UplinkError(uplink, 'refused', `points to ${what}`)
  const privateHost = (host: string) => refused(`\`${host}\`, which is not a public address`)

  /** Met means that the connection stands, TLS included: a name alone can resolve to anything. */
  function meet(address: string | undefined): void {
    if (address === undefined || isAllowed(address)) return
    const [oldest] = met
    if (met.size >= MAX_MET && oldest !== undefined) met.delete(oldest)
    met.add(address)
  }

  const lookup: LookupFunction = (host, options, callback) => {
    dnsLookup(host, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '')
      const allowed = host === homeHost ? found : found.filter(({ address }) => isAllowed(address))
      const [first] = allowed
      if (first === undefined) return callback(privateHost(host), '')
      if (options.all === true) return callback(null, allowed)
      callback(null, first.address, first.family)
    })
  }

  return {
    uplink,
    isHome: (url) => url.origin === home.origin,
    check(url) {
      const schemes = home.protocol === 'https:' ? ['https:'] : ['http:', 'https:']
      if (!schemes.includes(url.protocol)) {
        const wanted = schemes.map((scheme) => scheme.slice(0, -1)).join(' or ')
        throw refused(`a \`${url.protocol}\` address: must be ${wanted}`)
      }
      if (url.username !== '' || url.password !== '') throw refused('an address with credentials in it')
      const host = bareHost(url)
      if (host === homeHost) return
      const address = LOCALHOST.test(host) ? '127.0.0.1' : host
      if (isIP(address) !== 0 && !isAllowed(address)) throw privateHost(url.hostname)
    },
    connector(options) {
      const open = buildConnector({ ...options, lookup })
      return (target, callback) => {
        const { hostname } = target
        if (isIP(hostname) !== 0 && !isAllowed(hostname)) {
          process.nextTick(callback, privateHost(hostname), null)
          return
        }
        return open(target, (...result) => {
          if (hostname === homeHost) meet(result[1]?.remoteAddress)
          callback(...result)
        })
      }
    },
  }
}

/** The host of a URL as sockets take it: IPv6 without brackets. */
function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
}
