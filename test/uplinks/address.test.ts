import assert from 'node:assert/strict'
import test from 'node:test'
import { isPublicAddress } from '../../src/uplinks/address.ts'

const PUBLIC = [
  '1.1.1.1',
  '9.255.255.255',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '151.101.2.137',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.0',
  '223.255.255.255',
  '::ffff:8.8.8.8',
  '0:0:0:0:0:FFFF:0808:0808',
  '64:ff9b::8.8.8.8',
  '2001:4860:4860::8888',
  '2606:4700::1111',
  '2a04:4e42::649',
]

const NOT_PUBLIC = [
  '',
  'localhost',
  'example.com',
  '127.1',
  '2130706433',
  '[::1]',
  '0.0.0.0',
  '0.255.255.255',
  '10.0.0.1',
  '100.64.0.0',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.255',
  '168.63.129.16',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.168.255.255',
  '198.19.255.255',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::8.8.8.8',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::FFFF:A9FE:A9FE',
  '0:0:0:0:0:ffff:10.1.2.3',
  '::ffff:0:5',
  '::ffff:0:8.8.8.8',
  '64:ff9b::10.0.0.1',
  '64:ff9b::1',
  '64:ff9b:1::8.8.8.8',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::1',
  '3fff::1',
  '4000::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
]

test('isPublicAddress() is true when the address is of the public internet', () => {
  for (const address of PUBLIC) assert.equal(isPublicAddress(address), true, address)
})

test('isPublicAddress() is false when the address is special, or none', () => {
  for (const address of NOT_PUBLIC) assert.equal(isPublicAddress(address), false, address)
})

test('isPublicAddress() is false when a URL spells a private address in another way', () => {
  const hosts = [
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.1',
    '127.0.0.1.',
    '１２７.0.0.1',
    '0',
    '0xa9fea9fe',
    '[::ffff:169.254.169.254]',
    '[0:0:0:0:0:0:0:1]',
  ]
  for (const host of hosts) {
    const address = new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '')
    assert.equal(isPublicAddress(address), false, host)
  }
})
