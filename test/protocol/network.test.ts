import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkOf } from '../../src/protocol/network.ts'

const CASES: readonly (readonly [string, string])[] = [
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::1', '0:0:0:0::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:0DB8:0:0:9::', '2001:db8:0:0::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['fe80::1:2%eth0', 'fe80:0:0:0::/64'],
  ['', ''],
  ['unix', 'unix'],
]

test('networkOf() takes what one client can have for one', () => {
  for (const [ip, network] of CASES) assert.equal(networkOf(ip), network, ip)
})
