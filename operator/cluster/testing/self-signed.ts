/** A certificate for tests, made on the spot: Node can sign, but has no way to make a certificate. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  const size =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
};
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const oid = (...bytes: readonly number[]): Buffer => der(0x06, Buffer.from(bytes));
const time = (date: Date): Buffer =>
  der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`));
const ecdsaWithSha256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
const commonName = (name: string): Buffer =>
  sequence(der(0x31, sequence(oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from(name)))));

function certificateOf(publicKey: KeyObject, privateKey: KeyObject): Buffer {
  const day = 86_400_000;
  const serial = der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(7)]));
  const validity = sequence(time(new Date(Date.now() - day)), time(new Date(Date.now() + day)));
  const localhost = sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])));
  const names = sequence(oid(0x55, 0x1d, 0x11), der(0x04, localhost));
  const authority = sequence(
    oid(0x55, 0x1d, 0x13),
    der(0x01, Buffer.from([255])),
    der(0x04, sequence(der(0x01, Buffer.from([255])))),
  );
  const subject = commonName(`fake-api-${randomBytes(4).toString('hex')}`);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const version = der(0xa0, der(0x02, Buffer.from([2])));
  const tbs = sequence(
    version,
    serial,
    ecdsaWithSha256,
    subject,
    validity,
    subject,
    spki,
    der(0xa3, sequence(authority, names)),
  );
  const signature = sign('sha256', tbs, privateKey);
  return sequence(tbs, ecdsaWithSha256, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
}

/** A new self-signed certificate for localhost and 127.0.0.1, valid for a day, and its key; both PEM. */
export function selfSigned(): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const base64 = certificateOf(publicKey, privateKey)
    .toString('base64')
    .replace(/(.{64})/g, '$1\n');
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`, key };
}
