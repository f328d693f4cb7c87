/** Where programs look for the authorities they trust, and the commands that add ours and take it out again. */

export interface TrustStore {
  /** Whose it is. */
  readonly of: string;
  readonly trust: readonly string[];
  readonly undo: readonly string[];
}

const DEBIAN_FOLDER = '/usr/local/share/ca-certificates';

/** The file for Debian's store, named after the certificate, so that several servers do not meet. */
export function trustFileName(fingerprint256: string): string {
  return `berth-${fingerprint256.replaceAll(':', '').slice(0, 12).toLowerCase()}.crt`;
}

/** @param path of the certificate. @param name that the certificate has. */
export function trustStores(
  path: string,
  name: string,
  fingerprint256: string,
): readonly TrustStore[] {
  const file = quoted(path);
  const installed = `${DEBIAN_FOLDER}/${trustFileName(fingerprint256)}`;
  const nss = 'certutil -d sql:$HOME/.pki/nssdb';
  return [
    {
      of: 'Debian and Ubuntu: curl, wget, git and most programs',
      trust: [`sudo cp ${file} ${installed}`, 'sudo update-ca-certificates'],
      undo: [`sudo rm ${installed}`, 'sudo update-ca-certificates'],
    },
    {
      of: 'Chrome and Chromium on Linux (package libnss3-tools)',
      trust: [`${nss} -A -t C,, -n ${quoted(name)} -i ${file}`],
      undo: [`${nss} -D -n ${quoted(name)}`],
    },
    {
      of: 'Firefox',
      trust: [
        'Settings → Privacy & Security → View Certificates → Authorities → Import: ' + path,
        'tick “Trust this CA to identify websites”',
      ],
      undo: [`the same list → Berth → ${name} → Delete or Distrust`],
    },
    {
      of: 'macOS',
      trust: [
        `sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${file}`,
      ],
      undo: [`sudo security remove-trusted-cert -d ${file}`],
    },
    {
      of: 'One program at a time, with nothing to undo',
      trust: [`curl --cacert ${file} …`, `NODE_EXTRA_CA_CERTS=${file} node …`],
      undo: [],
    },
  ];
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
