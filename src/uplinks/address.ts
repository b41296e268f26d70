import { BlockList, isIP } from 'node:net'

/** Networks that are not the public internet (IANA's special-purpose registries), or that carry IPv4 inside IPv6. */
const V4 = [
  '0.0.0.0/8', // this host
  '10.0.0.0/8',
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8',
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
const V6 = [
  '::/96', // unspecified, loopback, IPv4-compatible
  '::ffff:0:0:0/96', // IPv4-translated
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23', // Teredo among them
  '2001:db8::/32',
  '2002::/16', // 6to4
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]

const BLOCKED = blockList()

/** Whether `address` is an IP address of the public internet; v4-mapped IPv6 is judged as the IPv4 it carries. */
export function isPublicAddress(address: string): boolean {
  const bare = address.replace(/%.*$/, '')
  const family = isIP(bare)
  return family !== 0 && !BLOCKED.check(bare, family === 6 ? 'ipv6' : 'ipv4')
}

function blockList(): BlockList {
  const list = new BlockList()
  for (const [family, networks] of [['ipv4', V4] as const, ['ipv6', V6] as const]) {
    for (const network of networks) {
      const [address = '', bits] = network.split('/')
      list.addSubnet(address, Number(bits), family)
    }
  }
  return list
}
