import { BlockList, isIP } from 'node:net'

/** IPv4 that is not the public internet (IANA's special-purpose registry), and what only looks like it. */
const SPECIAL_V4 = [
  '0.0.0.0/8', // this host
  '10.0.0.0/8',
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8',
  '168.63.129.16/32', // Azure's host agent, inside every virtual network
  '169.254.0.0/16', // link-local, metadata services of clouds
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
/** The part of IPv6 that is given out; loopback, link-local, private and multicast addresses lie outside of it. */
const GLOBAL_V6 = ['2000::/3']
const SPECIAL_V6 = [
  '2001::/23', // Teredo among them
  '2001:db8::/32',
  '2002::/16', // 6to4
  '3fff::/20',
]
/** IPv6 that carries an IPv4 address, mapped or by NAT64 (RFC 6052), as `URL` spells it. */
const CARRIER = /^\[(?:::ffff:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/

const specialV4 = listOf(SPECIAL_V4, 'ipv4')
const globalV6 = listOf(GLOBAL_V6, 'ipv6')
const specialV6 = listOf(SPECIAL_V6, 'ipv6')

/** Whether `address` is an IP address of the public internet; IPv6 that carries IPv4 is judged by what it carries. */
export function isPublicAddress(address: string): boolean {
  const bare = address.replace(/%.*$/, '')
  const v4 = isIP(bare) === 6 ? carriedV4(bare) : bare
  if (v4 !== undefined) return isIP(v4) === 4 && !specialV4.check(v4, 'ipv4')
  return globalV6.check(bare, 'ipv6') && !specialV6.check(bare, 'ipv6')
}

function carriedV4(v6: string): string | undefined {
  const [, high, low] = CARRIER.exec(new URL(`http://[${v6}]`).hostname) ?? []
  if (high === undefined || low === undefined) return undefined
  const bits = Number.parseInt(high, 16) * 0x10000 + Number.parseInt(low, 16)
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.')
}

function listOf(networks: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    list.addSubnet(address, Number(bits), family)
  }
  return list
}
