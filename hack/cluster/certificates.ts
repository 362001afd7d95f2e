/**
 * A certificate authority for each cluster. Kubernetes reads a user's name and groups from the certificate (CN and O), so that its
 * built-in roles do and no RBAC object is needed.
 */

import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';
import * as der from './der.ts';

export interface KeyPair {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

export interface Subject {
  readonly name: string;
  readonly group?: string;
}

const YEAR_MS = 365 * 86_400_000;
const SHA256_WITH_ECDSA = der.sequence(der.objectId('1.2.840.10045.4.3.2'));
const CERTIFICATE_SIGN = 0x06; // and revocation lists
const DIGITAL_SIGNATURE = 0x80;

export class CertificateAuthority {
  readonly certificate: string;
  readonly #subject: Subject;
  readonly #keys = newKeys();

  constructor(name: string) {
    this.#subject = { name };
    const extensions = [
      extension('2.5.29.19', der.sequence(der.TRUE), true),
      usage(CERTIFICATE_SIGN | DIGITAL_SIGNATURE),
    ];
    this.certificate = this.#sign(this.#subject, this.#keys.publicKey, extensions);
  }

  /** The authority's own key: the controller manager signs with it. */
  get key(): string {
    return pem(this.#keys.privateKey);
  }

  client(subject: Subject): KeyPair {
    return this.#issue(subject, [extendedUsage('2')]);
  }

  /** `names` are host names and IPv4 addresses. */
  server(name: string, names: readonly string[]): KeyPair {
    const alternatives = names.map((each) =>
      isIPv4(each)
        ? der.context(7, Buffer.from(each.split('.').map(Number)), false)
        : der.context(2, Buffer.from(each), false),
    );
    return this.#issue({ name }, [extendedUsage('1'), extension('2.5.29.17', der.sequence(...alternatives))]);
  }

  #issue(subject: Subject, extensions: der.Der[]): KeyPair {
    const { publicKey, privateKey } = newKeys();
    return {
      certificate: this.#sign(subject, publicKey, [usage(DIGITAL_SIGNATURE), ...extensions]),
      key: pem(privateKey),
    };
  }

  #sign(subject: Subject, publicKey: KeyObject, extensions: der.Der[]): string {
    const now = Date.now();
    const identifiers = [
      extension('2.5.29.14', der.octets(keyId(publicKey))),
      extension('2.5.29.35', der.sequence(der.context(0, keyId(this.#keys.publicKey), false))),
    ];
    const serial = randomBytes(16);
    serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f); // positive, and without a leading zero byte
    const content = der.sequence(
      der.context(0, der.integer(Buffer.from([2])), true), // version 3
      der.integer(serial),
      SHA256_WITH_ECDSA,
      distinguishedName(this.#subject),
      der.sequence(der.time(new Date(now - 60_000)), der.time(new Date(now + YEAR_MS))),
      distinguishedName(subject),
      publicKey.export({ type: 'spki', format: 'der' }),
      der.context(3, der.sequence(...extensions, ...identifiers), true),
    );
    const certificate = der.sequence(
      content,
      SHA256_WITH_ECDSA,
      der.bits(sign('sha256', content, this.#keys.privateKey)),
    );
    const lines = certificate.toString('base64').replace(/.{1,64}/g, '$&\n');
    return `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`;
  }
}

/** Keys for the tokens of service accounts. */
export function tokenKeys(): { publicKey: string; privateKey: string } {
  const { publicKey, privateKey } = newKeys();
  return { publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string, privateKey: pem(privateKey) };
}

function newKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** In SEC 1 form, the one that every Kubernetes component reads. */
function pem(key: KeyObject): string {
  return key.export({ type: 'sec1', format: 'pem' }) as string;
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
}

function distinguishedName({ name, group }: Subject): der.Der {
  const part = (id: string, value: string): der.Der => der.set(der.sequence(der.objectId(id), der.text(value)));
  return der.sequence(...(group === undefined ? [] : [part('2.5.4.10', group)]), part('2.5.4.3', name));
}

function extension(id: string, value: der.Der, critical = false): der.Der {
  return der.sequence(der.objectId(id), ...(critical ? [der.TRUE] : []), der.octets(value));
}

function usage(flags: number): der.Der {
  const unused = 31 - Math.clz32(flags & -flags); // DER leaves out trailing zero bits
  return extension('2.5.29.15', der.bits(Buffer.from([flags]), unused), true);
}

function extendedUsage(purpose: '1' | '2'): der.Der {
  return extension('2.5.29.37', der.sequence(der.objectId(`1.3.6.1.5.5.7.3.${purpose}`)));
}
