/** The types of the API, made from its OpenAPI document by `npm run docs`. */

export interface paths {
    "/api/v1/aliases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Aliases by hostname */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Alias"][];
                    };
                };
            };
        };
        /**
         * Lead a hostname, or a path of it, to an environment or a deployment
         * @description Replaces where it led before, from the next request on. Where it leads there already, nothing is written.
         */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description A hostname, or a wildcard such as `*.example.com` for every name one label below. */
                        hostname: string;
                        /**
                         * @description `/` for all of it, or a path such as `/api` for what is at and below it.
                         * @default /
                         */
                        path?: string;
                        /** @description A project (its production), `project/environment`, a deployment, or a hostname that Berth gave to one of them. */
                        target: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AliasSet"];
                    };
                };
            };
        };
        post?: never;
        /** Remove an alias; what it led to stays */
        delete: {
            parameters: {
                query: {
                    /** @description A hostname, or a wildcard such as `*.example.com` for every name one label below. */
                    hostname: string;
                    /** @description `/` for all of it, or a path such as `/api` for what is at and below it. */
                    path?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It is gone. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The audit log, newest first
         * @description Every change and every try that was refused, but not what could not be understood: who, when, with which token, from where. Lines cannot be changed or removed.
         */
        get: {
            parameters: {
                query?: {
                    /** @description At most so many of the newest; otherwise 100. */
                    limit?: number;
                    project?: string;
                    /** @description Only lines at or after this time. */
                    since?: string;
                    team?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AuditEntry"][];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/authority": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The local authority, for clients to trust */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Authority"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/backup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Everything that a restore needs, as one file
         * @description A tar archive with one line behind it: `berth-backup-sha256` and the checksum, or `berth-backup-failed` and why. Only the first makes it a backup. The key of the secrets and the keys of certificates are encrypted under the passphrase; the rest is not.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * @description Also the images that deployments run.
                         * @default true
                         */
                        images?: boolean;
                        /** @description At least 8 characters. It is kept nowhere. */
                        passphrase: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The archive. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/x-tar": unknown;
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/blobs/{sha256}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Send one file */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description sha256 in lower-case hex. */
                    sha256: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It is kept. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All certificates, by hostname
         * @description Those of the local authority are made when a hostname is first visited, and listed from then on.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Certificate"][];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificates/{hostname}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The certificate that serves a hostname */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description A hostname, or a wildcard such as `*.example.com`. */
                    hostname: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Certificate"];
                    };
                };
            };
        };
        /**
         * Serve a hostname with a certificate of one’s own
         * @description It replaces the one given before, and is used from the next handshake on. A pair that could not serve is refused, and what there was goes on serving.
         */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description A hostname, or a wildcard such as `*.example.com`. */
                    hostname: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description PEM: the certificate of the hostname first, then who signed it. */
                        certificate: string;
                        /** @description PEM, not encrypted. It is kept, and never shown again. */
                        key: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Certificate"];
                    };
                };
            };
        };
        post?: never;
        /** Remove one’s own certificate of exactly this name, else the automatic one */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description A hostname, or a wildcard such as `*.example.com`. */
                    hostname: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It is gone. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deployments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All deployments, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description A DNS label: lower-case letters, digits, hyphens. */
                    project?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Deployment"][];
                    };
                };
            };
        };
        put?: never;
        /**
         * Deploy an uploaded folder or an image
         * @description The same content and configuration is the same deployment. A failed one is tried again. Follow its progress under `progress`.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        configuration?: components["schemas"]["ConfigurationInput"];
                        /** @description A DNS label: lower-case letters, digits, hyphens. */
                        project: string;
                        source: {
                            /** @enum {string} */
                            kind: "folder";
                            /** @description sha256 in lower-case hex. */
                            manifest: string;
                        } | {
                            /** @enum {string} */
                            kind: "image";
                            reference: string;
                        };
                        /** @description Team that a new project belongs to; otherwise that of the token, or `default`. */
                        team?: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It is deployed already. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Deployment"];
                    };
                };
                /** @description Work is under way. */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Deployment"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deployments/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One deployment with its instances
         * @description The name of a project means its newest ready deployment.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description An id, a hostname or URL of it, a project, or the beginning of an id. */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeploymentDetail"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /**
         * Remove a deployment and all that only it used
         * @description The name must fit one deployment only. Refused while an environment runs it or an alias leads to it.
         */
        delete: {
            parameters: {
                query?: {
                    /** @description Removes the aliases that lead to it as well; otherwise they are in the way. */
                    withAliases?: string;
                };
                header?: never;
                path: {
                    /** @description An id, a hostname or URL of it, a project, or the beginning of an id. */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It is gone. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deployments/{name}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Logs of a deployment
         * @description With `follow=true`: server-sent events `line`. An event’s id sent back as `Last-Event-ID` goes on after it.
         */
        get: {
            parameters: {
                query?: {
                    /** @description Server-sent events: each line, then new ones as they come. */
                    follow?: string;
                    instance?: string;
                    /** @description Only lines at or after this time, ISO 8601. */
                    since?: string;
                    /** @description Only the newest lines. */
                    tail?: number;
                };
                header?: never;
                path: {
                    /** @description An id, a hostname or URL of it, a project, or the beginning of an id. */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Lines in order of time. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LogLine"][];
                        "text/event-stream": components["schemas"]["LogLine"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deployments/{name}/progress": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow a deploy (server-sent events)
         * @description Events `step`, `line` and, last, `end`. An event’s id is the number of lines so far: sent back as `Last-Event-ID`, those lines are left out; steps are told again.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description An id, a hostname or URL of it, a project, or the beginning of an id. */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Events of the deploy. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": components["schemas"]["StepEvent"] | components["schemas"]["LineEvent"] | components["schemas"]["EndEvent"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/disk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What Berth has on the disk, its budget, and when it will be used up */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DiskUsage"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/gc": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a clean-up would remove and what it keeps, each with its reason */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["GcPlan"];
                    };
                };
            };
        };
        put?: never;
        /** Remove what a clean-up may remove now, without waiting for the hour */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["GcReport"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the server answers */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Health"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/instances": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Instances and what they do */
        get: {
            parameters: {
                query?: {
                    deployment?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Instance"][];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a login link for a person
         * @description It works once, for 24 hours.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Stands in the audit log. */
                        name: string;
                        /**
                         * @description Otherwise `member`.
                         * @enum {string}
                         */
                        role?: "viewer" | "member" | "owner";
                        /** @description null: all teams. Absent: that of who asks, or `default`. */
                        team?: string | null;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Invitation"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Use a login link up: a token for its code */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description The last part of a login link. */
                        code: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["NewToken"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Remove the token that asks */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It is gone. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/plans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Plans and what each allows */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Plan"][];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/plans/{plan}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Add or change a plan of one’s own */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Of the plan. */
                    plan: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Running at once. Absent: no bound. */
                        instances?: number;
                        /** @description In flight or waiting at once. Absent: no bound. */
                        requests?: number;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It applies from now on. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        post?: never;
        /** Remove a plan of one’s own that no team is on */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Of the plan. */
                    plan: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It is gone. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Projects by name, and the team of each */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Project"][];
                    };
                };
            };
        };
        put?: never;
        /**
         * Make a project, unless the team has it
         * @description A first deploy does that by itself.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description A DNS label: lower-case letters, digits, hyphens. */
                        project: string;
                        /** @description Team that a new project belongs to; otherwise that of the token, or `default`. */
                        team?: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Project"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a project with everything in it
         * @description Its environments with their history and variables, its deployments with their images and logs, and its name. The audit log and the secrets of the team stay. Refused while an alias leads to it.
         */
        delete: {
            parameters: {
                query?: {
                    /** @description Removes the aliases that lead to it as well; otherwise they are in the way. */
                    withAliases?: string;
                };
                header?: never;
                path: {
                    project: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ProjectRemoved"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/environments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The environments of a project, production first */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Environment"][];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/environments/{environment}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One environment and what it runs */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `production`, `staging`, `preview/<branch>`, or lower-case letters, digits, hyphens. */
                    environment: string;
                    project: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Environment"];
                    };
                };
            };
        };
        /** Make an environment, unless it is there */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `production`, `staging`, `preview/<branch>`, or lower-case letters, digits, hyphens. */
                    environment: string;
                    project: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Environment"];
                    };
                };
            };
        };
        post?: never;
        /**
         * Remove an environment with its history
         * @description Its hostname leads nowhere then. What it ran stays as a deployment. Refused while an alias leads to it.
         */
        delete: {
            parameters: {
                query?: {
                    /** @description Removes the aliases that lead to it as well; otherwise they are in the way. */
                    withAliases?: string;
                };
                header?: never;
                path: {
                    /** @description `production`, `staging`, `preview/<branch>`, or lower-case letters, digits, hyphens. */
                    environment: string;
                    project: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It is gone. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        /**
         * Change what an environment runs and its settings, as one release
         * @description What is left out stays as it is. Answers when it takes the traffic; a failure leaves everything as it was.
         */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `production`, `staging`, `preview/<branch>`, or lower-case letters, digits, hyphens. */
                    environment: string;
                    project: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description An id, a hostname or URL, or the beginning of an id. */
                        deployment?: string;
                        /** @description Instead of a deployment: what this one runs. */
                        from?: string;
                        /** @default {} */
                        limits?: {
                            /** @description In ms. Null: what the deployment’s own configuration says. */
                            duration?: number | null;
                            /** @description Null: what the deployment’s own configuration says. */
                            maxConcurrentReqs?: number | null;
                            /** @description In ms. Null: what the deployment’s own configuration says. */
                            timeout?: number | null;
                        };
                        scale?: {
                            max: number;
                            min: number;
                        };
                        /** @description Number of the current release when this was decided, 0 for none: refused with PLAN_OUTDATED when it is another one. */
                        seen?: number;
                        /**
                         * @description Variables. `@name` names a secret, `@@text` is a plain `@text`.
                         * @default {}
                         */
                        set?: {
                            [key: string]: string;
                        };
                        /**
                         * @description Names of variables.
                         * @default []
                         */
                        unset?: string[];
                        /** @description Shown in the history. */
                        why?: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SettingsChanged"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/v1/projects/{project}/environments/{environment}/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change the limits of what an environment runs
         * @description What is left out stays as it is. It is booted anew before it takes traffic.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `production`, `staging`, `preview/<branch>`, or lower-case letters, digits, hyphens. */
                    environment: string;
                    project: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description In ms. Null: what the deployment’s own configuration says. */
                        duration?: number | null;
                        /** @description Null: what the deployment’s own configuration says. */
                        maxConcurrentReqs?: number | null;
                        /** @description In ms. Null: what the deployment’s own configuration says. */
                        timeout?: number | null;
                        /** @description Shown in the history. */
                        why?: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SettingsChanged"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/environments/{environment}/releases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The history of an environment, newest first
         * @description 100 of them unless `limit` says otherwise; `before` goes on from there.
         */
        get: {
            parameters: {
                query?: {
                    /** @description Only those with a lower number. */
                    before?: number;
                    /** @description At most so many. */
                    limit?: number;
                };
                header?: never;
                path: {
                    /** @description `production`, `staging`, `preview/<branch>`, or lower-case letters, digits, hyphens. */
                    environment: string;
                    project: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Release"][];
                    };
                };
            };
        };
        put?: never;
        /**
         * Release a deployment to an environment, or what another one runs
         * @description Answers when it takes the traffic. A failure leaves what ran before as it was, and comes with the last lines of the log.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `production`, `staging`, `preview/<branch>`, or lower-case letters, digits, hyphens. */
                    environment: string;
                    project: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description An id, a hostname or URL, or the beginning of an id. */
                        deployment?: string;
                        /** @description Instead of a deployment: what this environment runs, or ran. */
                        from?: {
                            /** @description `production`, `staging`, `preview/<branch>`, or lower-case letters, digits, hyphens. */
                            environment: string;
                            /** @description Absent: its current release. */
                            number?: number;
                        };
                        /** @description Nobody asked by hand: refused while the environment is paused. */
                        isAutomatic?: boolean;
                        /** @description A promotion of what was deployed before: the history says so, and where it ran. */
                        isPromotion?: boolean;
                        /** @description Only this share of the clients gets it, each always the same; it is taken back by itself when it does worse. Released again without it, everybody does. */
                        percent?: number;
                        /** @description Shown in the history. */
                        why?: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It runs there already: no release was made. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Released"];
                    };
                };
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Released"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/environments/{environment}/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Go back to an earlier release
         * @description Deployment, variables, versions of secrets, limits and scale together. Looked for before anything is touched; itself a release; automatic deploys wait until the next one by hand.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `production`, `staging`, `preview/<branch>`, or lower-case letters, digits, hyphens. */
                    environment: string;
                    project: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Absent: the previous different one. */
                        to?: number;
                        /** @description Shown in the history. */
                        why?: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Release"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/environments/{environment}/scale": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Keep at least and at most so many instances
         * @description What is left out stays as it is. No instance is restarted by it.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `production`, `staging`, `preview/<branch>`, or lower-case letters, digits, hyphens. */
                    environment: string;
                    project: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        max?: number;
                        min?: number;
                        /** @description Shown in the history. */
                        why?: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SettingsChanged"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/environments/{environment}/secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take the newest version of every secret that an environment names, as a release */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `production`, `staging`, `preview/<branch>`, or lower-case letters, digits, hyphens. */
                    environment: string;
                    project: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Stands in the history. */
                        why?: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SettingsRelease"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/environments/{environment}/variables": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Variables of an environment with their values; names of secrets stay names
         * @description Those that were set for it. What it runs may have others of its own.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `production`, `staging`, `preview/<branch>`, or lower-case letters, digits, hyphens. */
                    environment: string;
                    project: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Variables"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Set and unset variables of an environment, as one release
         * @description What it runs is booted with them before it takes traffic. Secrets keep the versions that run; one that is new takes its newest.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description `production`, `staging`, `preview/<branch>`, or lower-case letters, digits, hyphens. */
                    environment: string;
                    project: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * @description `@name` names a secret, `@@text` is a plain `@text`.
                         * @default {}
                         */
                        set?: {
                            [key: string]: string;
                        };
                        /** @default [] */
                        unset?: string[];
                        /** @description Stands in the history. */
                        why?: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SettingsRelease"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/identify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Which deployment a folder or an image would be, without making it
         * @description The manifest of a folder has to be announced; its files are not needed.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        configuration?: components["schemas"]["ConfigurationInput"];
                        source: ({
                            /** @enum {string} */
                            kind: "folder";
                            /** @description sha256 in lower-case hex. */
                            manifest: string;
                        } | {
                            /** @enum {string} */
                            kind: "image";
                            reference: string;
                        }) | {
                            /** @enum {string} */
                            kind: "deployment";
                            /** @description An id, a hostname or URL, or the beginning of an id. */
                            name: string;
                        };
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Identified"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Secrets of a team, by name, with who uses them
         * @description Never their values: those leave only for the processes that need them. With a token for some projects, those that these name.
         */
        get: {
            parameters: {
                query?: {
                    /** @description Otherwise that of the token. */
                    team?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Secret"][];
                    };
                };
            };
        };
        put?: never;
        /** Add a secret */
        post: {
            parameters: {
                query?: {
                    /** @description Otherwise that of the token. */
                    team?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description 1 to 100 letters, digits, "_", "." or "-", the first a letter or digit. */
                        name: string;
                        /** @description At most 65,536 bytes. It is encrypted, and never shown again. */
                        value: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Secret"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/secrets-key": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the key file opens what is kept */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SecretsKey"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/secrets-key/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Seal all secrets with a new key
         * @description The key file is replaced; copies of the old one open nothing from then on.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RotatedSecretsKey"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/secrets/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a secret with all its versions
         * @description Refused while a deployment starts with it, unless forced.
         */
        delete: {
            parameters: {
                query?: {
                    /** @description Also when it is in use. */
                    force?: string;
                    /** @description Otherwise that of the token. */
                    team?: string;
                };
                header?: never;
                path: {
                    /** @description 1 to 100 letters, digits, "_", "." or "-", the first a letter or digit. */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It is gone. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/secrets/{name}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a secret a new value
         * @description Deployments keep the version they were made with; what is made later takes the new one.
         */
        post: {
            parameters: {
                query?: {
                    /** @description Otherwise that of the token. */
                    team?: string;
                };
                header?: never;
                path: {
                    /** @description 1 to 100 letters, digits, "_", "." or "-", the first a letter or digit. */
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description At most 65,536 bytes. It is encrypted, and never shown again. */
                        value: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RotatedSecret"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/slots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The usual slots and whether this machine has as much */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Slot"][];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the server is and has */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Status"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Teams with their plans and what they use now */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Team"][];
                    };
                };
            };
        };
        put?: never;
        /** Add a team */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Of the team. */
                        name: string;
                        plan?: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Team"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{team}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove a team that has nothing deployed, with its tokens and secrets */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    team: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It is gone. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{team}/plan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Put a team on a plan
         * @description It applies at once to what begins from now on; what runs already goes on.
         */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    team: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        plan: string;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Team"];
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tokens, oldest first
         * @description Of the team named, else of all that the token is for: one for some projects sees those for none but these. Never their values.
         */
        get: {
            parameters: {
                query?: {
                    team?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Token"][];
                    };
                };
            };
        };
        put?: never;
        /**
         * Make a token for a program
         * @description It may never do more than the token that makes it. Its value is shown once.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Absent: all that the role may. */
                        can?: ("read" | "audit" | "deploy" | "release" | "configure" | "remove" | "team" | "metrics" | "operate")[];
                        expiresInMs?: number;
                        /** @description Stands in the audit log. */
                        name: string;
                        /** @description Absent: all of the team. */
                        projects?: string[];
                        /**
                         * @description Otherwise `member`.
                         * @enum {string}
                         */
                        role?: "viewer" | "member" | "owner";
                        /** @description null: all teams. Absent: that of who asks, or `default`. */
                        team?: string | null;
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["NewToken"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove a token: it is refused from now on, also in streams that are open */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It is gone. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Announce the files of a folder */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        manifest: components["schemas"]["ManifestEntryInput"][];
                    };
                };
            };
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Uploaded"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/whoami": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who the token stands for */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Identity"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Figures for Prometheus */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The request cannot be served as it is. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description The server or its engine failed. */
                "5XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description Prometheus text */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Alias: {
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** @description A hostname, or a wildcard such as `*.example.com` for every name one label below. */
            hostname: string;
            /** @description What it leads to is gone, or an environment without a release: 404 until then. */
            isDangling: boolean;
            leadsTo: {
                environment: string;
                project: string;
            } | {
                deployment: string;
            };
            /**
             * @description `/` for all of it, or a path such as `/api` for what is at and below it.
             * @default /
             */
            path: string;
            team: string;
            /**
             * Format: uri
             * @description Absent for a wildcard.
             */
            url?: string;
        };
        AliasSet: {
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** @description A hostname, or a wildcard such as `*.example.com` for every name one label below. */
            hostname: string;
            /** @description What it leads to is gone, or an environment without a release: 404 until then. */
            isDangling: boolean;
            /**
             * @description It led there already: nothing was done.
             * @constant
             */
            isStanding?: true;
            leadsTo: {
                environment: string;
                project: string;
            } | {
                deployment: string;
            };
            /**
             * @description `/` for all of it, or a path such as `/api` for what is at and below it.
             * @default /
             */
            path: string;
            team: string;
            /**
             * Format: uri
             * @description Absent for a wildcard.
             */
            url?: string;
        };
        AuditEntry: {
            action: string;
            actor: string;
            address?: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            at: string;
            detail: string;
            /** @description Code of the error. Absent: it was done. */
            failure?: string;
            project?: string;
            subject: string;
            team: string;
            /** @description Id of the token that was used. */
            token?: string;
        };
        Authority: {
            /** @description PEM, to be trusted by clients. */
            certificate: string;
            /** @description What it can vouch for, loopback addresses aside: these and all below. */
            domains: string[];
            fingerprint256: string;
            issuer: string;
            /** @description Hostnames it is valid for. */
            names: string[];
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            notAfter: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            notBefore: string;
            /** @description Its file on the machine of the server. */
            path: string;
            serial: string;
        };
        /** @description Never with its key. */
        Certificate: {
            /** @description What is being done about it, or why there is none. */
            because?: string;
            fingerprint256?: string;
            /** @description A hostname, or a wildcard such as `*.example.com`. */
            hostname: string;
            issuer?: string;
            /** @description Hostnames it is valid for. */
            names?: string[];
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            notAfter?: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            notBefore?: string;
            serial?: string;
            /**
             * @description Given by hand, asked of an ACME server, or signed by the local authority.
             * @enum {string}
             */
            source: "own" | "acme" | "local";
            /** @enum {string} */
            state: "valid" | "expired" | "notYetValid" | "pending" | "failed";
        };
        /**
         * Berth configuration
         * @description berth.json, or an unchanged now.json of 2018: how a folder is built and run.
         */
        Configuration: {
            /** @description Address of the JSON Schema, for editors. */
            $schema?: string;
            /** @description Hostnames of the project besides its own. */
            alias?: string | string[];
            /** @description From now.json: address of the API. No effect here. */
            api?: string;
            /** @description How the image is built. */
            build?: {
                /**
                 * @description Path of the Dockerfile inside the folder. Without one, the kind of folder is recognised.
                 * @default Dockerfile
                 */
                dockerfile?: string;
                /** @description Build arguments: what `ARG NAME` in the Dockerfile receives. They stay readable in the image: none can be a secret. */
                env?: {
                    [key: string]: string;
                } | string[];
            };
            /** @description Replaces the image's command, word by word (no shell). */
            command?: string[];
            /**
             * @description Read more variables from `.env`, or from the file named, when deploying. `env` wins over it.
             * @default false
             */
            dotenv?: boolean | string;
            /** @description From now.json: version of Node.js for folders without a Dockerfile. No effect here: the recognised Dockerfile says which. */
            engines?: {
                [key: string]: unknown;
            };
            /** @description Variables of the running app. As an array of names, each value is given with `--env NAME=value`. `@name` stands for the secret `name` (`berth secrets`); write `@@` (or `\@`) for a plain `@` at the beginning. */
            env?: {
                [key: string]: string;
            } | string[];
            /** @description From now.json: feature switches. No effect here: everything is what `"cloud": "v2"` was. */
            features?: {
                [key: string]: string | number | boolean;
            };
            /** @description Upload only these files and folders (and the Dockerfile), even those that .gitignore, .berthignore or .nowignore name. */
            files?: string[];
            /** @description From now.json: send npm credentials along. No effect here: private packages need a build secret. */
            forwardNpm?: boolean;
            /** @description From now.json: the GitHub integration. No effect here. */
            github?: {
                /** @description Whether the default branch moves the alias. */
                aliasing?: boolean;
                /** @description Whether the default branch moves the alias. */
                autoAlias?: boolean;
                /** @description Whether a newer push ends the build of an older one. */
                autoJobCancelation?: boolean;
                /** @description Whether pushes are deployed. */
                enabled?: boolean;
                /** @description Whether it writes no comments. */
                silent?: boolean;
            };
            /** @description Path that must answer 2xx or 3xx before a new deployment counts as good. Default: a listening port is enough. */
            healthPath?: string;
            /**
             * @description What an instance does after `limits.timeout` without work: rest frozen (wakes in a few milliseconds), be stopped, or keep running.
             * @default freeze
             * @enum {string}
             */
            idle?: "freeze" | "stop" | "run";
            /** @description Concurrency and time limits. */
            limits?: {
                /**
                 * @description Milliseconds: the longest a request may take, and the running age at which an instance is replaced by a fresh one.
                 * @default 300000
                 */
                duration?: number;
                /**
                 * @description Requests (and WebSockets) one instance serves at the same time; one more starts another instance.
                 * @default 10
                 */
                maxConcurrentReqs?: number;
                /**
                 * @description Milliseconds without a request or open socket before an instance leaves `running` (see `idle`).
                 * @default 60000
                 */
                timeout?: number;
            };
            /** @description Name of the project, part of every hostname. Default: the name of the folder. */
            name?: string;
            /** @description The port the app listens on: the value of `PORT`, preferred when several ports listen. Default: `PORT` is 8080 and any port is found. */
            port?: number;
            /** @description From now.json: id of the project. No effect here. */
            project?: string;
            /**
             * @description What the app speaks: HTTP/1.1, or `h2c`, HTTP/2 without TLS, which gRPC needs. Clients may speak either.
             * @default http1
             * @enum {string}
             */
            protocol?: "http1" | "h2c";
            /** @description From now.json: whether the source may be seen. No effect here: it never is. */
            public?: boolean;
            /** @description Where to run. One machine is one region: every name stands for it. */
            regions?: string[];
            /**
             * @description Most instances at once (`max`). `min` belongs to an environment and is only kept for it: `"idle": "run"` keeps one instance of a deployment running. The 2018 form, one object for each region, counts with its largest `min` and `max`; `"auto"` is the default maximum.
             * @default {
             *       "min": 0,
             *       "max": 10
             *     }
             */
            scale?: {
                max?: number | "auto";
                min?: number;
            } | {
                [key: string]: {
                    max: number | "auto";
                    min: number;
                };
            };
            /** @description The 2018 way to write `port`. */
            service?: {
                /** @description The same as `port`. */
                port?: number;
            };
            /**
             * @description What one instance may use: `c<cores>-m<MiB>`, a CPU share and a hard memory limit. `berth slots` shows what fits this machine.
             * @default c.125-m512
             */
            slot?: string;
            /** @description From now.json: options of the static server. No effect here. */
            static?: {
                [key: string]: unknown;
            };
            /**
             * @description Kind of folder. `docker` needs a Dockerfile; `npm` and `static` recognise the folder as such even if it has one. Default: the Dockerfile if there is one.
             * @enum {string}
             */
            type?: "docker" | "npm" | "static";
            /**
             * @description From now.json: version of the platform. Only 1 has Dockerfiles.
             * @constant
             */
            version?: 1;
            /** @description Which requests may wake or start an instance. Others are served while one is awake and free, and else get 503 `ASLEEP`. All rules have to agree. Default: every request wakes. */
            wake?: {
                /** @description These paths do not wake, whatever `paths` says, for example `["*.php"]`. */
                ignorePaths?: string[];
                /** @description Clients whose user agent contains one of these do not wake; case does not matter. */
                ignoreUserAgents?: string[];
                /** @description Only these methods wake. Default: all. */
                methods?: string[];
                /** @description Only these paths wake. `*` stands for any characters, "/" included; the query is not looked at. Default: all. */
                paths?: string[];
            };
        };
        /**
         * Berth configuration
         * @description berth.json, or an unchanged now.json of 2018: how a folder is built and run.
         */
        ConfigurationInput: {
            /** @description Address of the JSON Schema, for editors. */
            $schema?: string;
            /** @description Hostnames of the project besides its own. */
            alias?: string | string[];
            /** @description From now.json: address of the API. No effect here. */
            api?: string;
            /** @description How the image is built. */
            build?: {
                /**
                 * @description Path of the Dockerfile inside the folder. Without one, the kind of folder is recognised.
                 * @default Dockerfile
                 */
                dockerfile?: string;
                /** @description Build arguments: what `ARG NAME` in the Dockerfile receives. They stay readable in the image: none can be a secret. */
                env?: {
                    [key: string]: string;
                } | string[];
            };
            /** @description Replaces the image's command, word by word (no shell). */
            command?: string[];
            /**
             * @description Read more variables from `.env`, or from the file named, when deploying. `env` wins over it.
             * @default false
             */
            dotenv?: boolean | string;
            /** @description From now.json: version of Node.js for folders without a Dockerfile. No effect here: the recognised Dockerfile says which. */
            engines?: {
                [key: string]: unknown;
            };
            /** @description Variables of the running app. As an array of names, each value is given with `--env NAME=value`. `@name` stands for the secret `name` (`berth secrets`); write `@@` (or `\@`) for a plain `@` at the beginning. */
            env?: {
                [key: string]: string;
            } | string[];
            /** @description From now.json: feature switches. No effect here: everything is what `"cloud": "v2"` was. */
            features?: {
                [key: string]: string | number | boolean;
            };
            /** @description Upload only these files and folders (and the Dockerfile), even those that .gitignore, .berthignore or .nowignore name. */
            files?: string[];
            /** @description From now.json: send npm credentials along. No effect here: private packages need a build secret. */
            forwardNpm?: boolean;
            /** @description From now.json: the GitHub integration. No effect here. */
            github?: {
                /** @description Whether the default branch moves the alias. */
                aliasing?: boolean;
                /** @description Whether the default branch moves the alias. */
                autoAlias?: boolean;
                /** @description Whether a newer push ends the build of an older one. */
                autoJobCancelation?: boolean;
                /** @description Whether pushes are deployed. */
                enabled?: boolean;
                /** @description Whether it writes no comments. */
                silent?: boolean;
            };
            /** @description Path that must answer 2xx or 3xx before a new deployment counts as good. Default: a listening port is enough. */
            healthPath?: string;
            /**
             * @description What an instance does after `limits.timeout` without work: rest frozen (wakes in a few milliseconds), be stopped, or keep running.
             * @default freeze
             * @enum {string}
             */
            idle?: "freeze" | "stop" | "run";
            /** @description Concurrency and time limits. */
            limits?: {
                /**
                 * @description Milliseconds: the longest a request may take, and the running age at which an instance is replaced by a fresh one.
                 * @default 300000
                 */
                duration?: number;
                /**
                 * @description Requests (and WebSockets) one instance serves at the same time; one more starts another instance.
                 * @default 10
                 */
                maxConcurrentReqs?: number;
                /**
                 * @description Milliseconds without a request or open socket before an instance leaves `running` (see `idle`).
                 * @default 60000
                 */
                timeout?: number;
            };
            /** @description Name of the project, part of every hostname. Default: the name of the folder. */
            name?: string;
            /** @description The port the app listens on: the value of `PORT`, preferred when several ports listen. Default: `PORT` is 8080 and any port is found. */
            port?: number;
            /** @description From now.json: id of the project. No effect here. */
            project?: string;
            /**
             * @description What the app speaks: HTTP/1.1, or `h2c`, HTTP/2 without TLS, which gRPC needs. Clients may speak either.
             * @default http1
             * @enum {string}
             */
            protocol?: "http1" | "h2c";
            /** @description From now.json: whether the source may be seen. No effect here: it never is. */
            public?: boolean;
            /** @description Where to run. One machine is one region: every name stands for it. */
            regions?: string[];
            /**
             * @description Most instances at once (`max`). `min` belongs to an environment and is only kept for it: `"idle": "run"` keeps one instance of a deployment running. The 2018 form, one object for each region, counts with its largest `min` and `max`; `"auto"` is the default maximum.
             * @default {
             *       "min": 0,
             *       "max": 10
             *     }
             */
            scale?: {
                max?: number | "auto";
                min?: number;
            } | {
                [key: string]: {
                    max: number | "auto";
                    min: number;
                };
            };
            /** @description The 2018 way to write `port`. */
            service?: {
                /** @description The same as `port`. */
                port?: number;
            };
            /**
             * @description What one instance may use: `c<cores>-m<MiB>`, a CPU share and a hard memory limit. `berth slots` shows what fits this machine.
             * @default c.125-m512
             */
            slot?: string;
            /** @description From now.json: options of the static server. No effect here. */
            static?: {
                [key: string]: unknown;
            };
            /**
             * @description Kind of folder. `docker` needs a Dockerfile; `npm` and `static` recognise the folder as such even if it has one. Default: the Dockerfile if there is one.
             * @enum {string}
             */
            type?: "docker" | "npm" | "static";
            /**
             * @description From now.json: version of the platform. Only 1 has Dockerfiles.
             * @constant
             */
            version?: 1;
            /** @description Which requests may wake or start an instance. Others are served while one is awake and free, and else get 503 `ASLEEP`. All rules have to agree. Default: every request wakes. */
            wake?: {
                /** @description These paths do not wake, whatever `paths` says, for example `["*.php"]`. */
                ignorePaths?: string[];
                /** @description Clients whose user agent contains one of these do not wake; case does not matter. */
                ignoreUserAgents?: string[];
                /** @description Only these methods wake. Default: all. */
                methods?: string[];
                /** @description Only these paths wake. `*` stands for any characters, "/" included; the query is not looked at. Default: all. */
                paths?: string[];
            };
        };
        Deployment: {
            /** @description In the form of berth.json, with every default. Values of variables are hidden; `@name` names a secret. */
            configuration: components["schemas"]["Configuration"];
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            createdAt: string;
            createdBy: string;
            /** @description Environments that run it now; in lists and details. */
            environments?: string[];
            failure?: {
                code: string;
                detail: string;
            };
            id: string;
            image?: {
                bytes: number;
                id: string;
            };
            project: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            readyAt?: string;
            /** @description Version of each secret that it was made with. Absent: it names none. */
            secrets?: {
                [key: string]: number;
            };
            source: {
                bytes: number;
                files: number;
                /** @constant */
                kind: "folder";
                /** @description sha256 in lower-case hex. */
                manifest: string;
            } | {
                /** @constant */
                kind: "image";
                reference: string;
            };
            /** @enum {string} */
            state: "building" | "verifying" | "ready" | "failed";
            /** Format: uri */
            url: string;
        };
        DeploymentDetail: {
            /** @description The latest scale decision, in words. */
            because?: string;
            /** @description In the form of berth.json, with every default. Values of variables are hidden; `@name` names a secret. */
            configuration: components["schemas"]["Configuration"];
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            createdAt: string;
            createdBy: string;
            /** @description Environments that run it now; in lists and details. */
            environments?: string[];
            failure?: {
                code: string;
                detail: string;
            };
            id: string;
            image?: {
                bytes: number;
                id: string;
            };
            instances: components["schemas"]["Instance"][];
            project: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            readyAt?: string;
            /** @description Version of each secret that it was made with. Absent: it names none. */
            secrets?: {
                [key: string]: number;
            };
            source: {
                bytes: number;
                files: number;
                /** @constant */
                kind: "folder";
                /** @description sha256 in lower-case hex. */
                manifest: string;
            } | {
                /** @constant */
                kind: "image";
                reference: string;
            };
            /** @enum {string} */
            state: "building" | "verifying" | "ready" | "failed";
            /** Format: uri */
            url: string;
        };
        DiskUsage: {
            /** Format: date-time */
            at: string;
            /** @description in bytes */
            budgetBytes: number;
            fileSystems: {
                /** @description in bytes */
                freeBytes: number;
                /** @description builds leave so much free */
                reserveBytes: number;
                /** @description in bytes */
                totalBytes: number;
            }[];
            forecast: {
                because: string;
                bytesPerDay?: number;
                days?: number;
                /** @enum {string} */
                kind: "unknown" | "steady" | "full";
            };
            kinds: {
                /** @description uploaded files */
                blobs: number;
                /** @description output of builds, and their files while they run */
                builds: number;
                /** @description layers that only speed up builds */
                cache: number;
                /** @description in bytes */
                database: number;
                /** @description layers of images that deployments run, each once */
                images: number;
                /** @description in bytes */
                logs: number;
            };
            /** @description biggest first */
            projects: {
                /** @description output of builds, and their files while they run */
                builds: number;
                /** @description layers that only speed up builds */
                cache: number;
                deployments: number;
                /** @description layers of images that deployments run, each once */
                images: number;
                /** @description in bytes */
                logs: number;
                /** @description absent: shared by several, or nobody’s */
                project?: string;
            }[];
            /** @description until builds are refused */
            roomBytes: number;
            /** @description in bytes */
            usedBytes: number;
        };
        /** @description Data of the last event of a deploy, `end`. */
        EndEvent: {
            deployment: components["schemas"]["Deployment"];
        };
        Environment: {
            /** @description Absent: nothing was released to it yet. */
            current?: components["schemas"]["Release"];
            /** @description The highest number given so far. */
            latest: number;
            name: string;
            /** @description Why automatic deploys wait. */
            paused?: string;
            project: string;
            settings: {
                limits: {
                    /** @description In ms. */
                    duration?: number;
                    maxConcurrentReqs?: number;
                    /** @description In ms. */
                    timeout?: number;
                };
                /** @description Absent: what the deployment’s own configuration says. */
                scale?: {
                    max: number;
                    min: number;
                };
                /** @description Names, laid over those of the deployment. */
                variables: string[];
            };
            /** Format: uri */
            url: string;
        };
        GcLine: {
            because: string;
            /** @description what its removal frees; layers go with the last image that has them */
            bytes: number;
            id: string;
            /** @enum {string} */
            kind: "environment" | "deployment" | "container" | "image" | "layer" | "network" | "logs" | "build" | "blobs";
            /**
             * @description after a run; `left`: it was to go and could not
             * @enum {string}
             */
            outcome?: "removed" | "left";
            project?: string;
            /** @enum {string} */
            verdict: "keep" | "remove";
        };
        GcPlan: {
            /** @description in bytes */
            freeableBytes: number;
            lines: components["schemas"]["GcLine"][];
        };
        GcReport: {
            /** @description how much more the file systems say is free; others write meanwhile as well */
            diskFreedBytes: number;
            /** @description what the things that went took */
            freedBytes: number;
            lines: components["schemas"]["GcLine"][];
        };
        Health: {
            /** @constant */
            status: "ok";
            version: string;
        };
        Identified: {
            /** @description Id of what an environment would have as its base. */
            deployment: string;
            /** @description It is there, and can be released. */
            isReady: boolean;
        };
        Identity: {
            /** @description null: all that the role may. */
            can: ("read" | "audit" | "deploy" | "release" | "configure" | "remove" | "team" | "metrics" | "operate")[] | null;
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            expiresAt?: string;
            name: string;
            /** @description null: all of the team. */
            projects: string[] | null;
            /** @enum {string} */
            role: "viewer" | "member" | "owner";
            /** @description null: all teams. */
            team: string | null;
            /** @description How the server knows, in words. */
            via: string;
        };
        Instance: {
            address?: string;
            /** @description The last decision about it, in words. */
            because: string;
            /**
             * Format: date-time
             * @description Until when it stays awake for background work, by its own word.
             */
            busyUntil?: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            createdAt: string;
            deployment: string;
            id: string;
            /** @description Leases held now. */
            inFlight: number;
            restarts?: number;
            /** @description Time spent running, frozen time excluded. */
            runningMs: number;
            /** @enum {string} */
            state: "parked" | "booting" | "ready" | "busy" | "frozen" | "reclaimed" | "draining" | "stopped";
        };
        Invitation: {
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            expiresAt: string;
            name: string;
            /** @description Of the login link, on this server. It works once. */
            path: string;
            /** @enum {string} */
            role: "viewer" | "member" | "owner";
            /** @description null: all teams. */
            team: string | null;
        };
        /** @description Data of the event `line` of a deploy. */
        LineEvent: {
            text: string;
        };
        LogLine: {
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            at: string;
            instance: string;
            /** @enum {string} */
            stream: "stdout" | "stderr";
            text: string;
        };
        /** @description Paths are relative, normalised, with `/` between names. */
        ManifestEntryInput: {
            bytes: number;
            /** @constant */
            kind: "file";
            /** @description Unix permission bits. */
            mode: number;
            path: string;
            /** @description sha256 in lower-case hex. */
            sha256: string;
        } | {
            /** @constant */
            kind: "symlink";
            path: string;
            target: string;
        } | {
            /** @constant */
            kind: "directory";
            mode: number;
            path: string;
        };
        NewToken: {
            /** @description null: all that the role may. */
            can: ("read" | "audit" | "deploy" | "release" | "configure" | "remove" | "team" | "metrics" | "operate")[] | null;
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            createdAt: string;
            createdBy: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            expiresAt?: string;
            id: string;
            /**
             * @description Of a person who logged in, or made for a program.
             * @enum {string}
             */
            kind: "login" | "token";
            /**
             * Format: date-time
             * @description To the minute. Absent: never.
             */
            lastUsedAt?: string;
            name: string;
            /** @description null: all of the team. */
            projects: string[] | null;
            /** @enum {string} */
            role: "viewer" | "member" | "owner";
            /** @description null: all teams. */
            team: string | null;
            /** @description The token itself. It is never shown again. */
            value: string;
        };
        Plan: {
            /** @description Running at once. Absent: no bound. */
            instances?: number;
            isPreset: boolean;
            name: string;
            /** @description In flight or waiting at once. Absent: no bound. */
            requests?: number;
            teams: string[];
        };
        /** @description Every error of this API (RFC 9457). */
        Problem: {
            /** @description What to do about it. */
            advice: string;
            /** @description A code of the catalogue. */
            code: string;
            /** @description What exactly happened this time. */
            detail: string;
            /** @description Id of this answer, as in the log of the server. */
            instance: string;
            /** @description Last lines of the log that belongs to it. */
            log: string[];
            /** @description Each place of the input that is wrong. */
            problems: {
                at: string;
                column?: number;
                line?: number;
                message: string;
            }[];
            status: number;
            title: string;
            /** @description Path of the page about this code. */
            type: string;
        };
        Project: {
            name: string;
            team: string;
        };
        /** @description How many of each went with it. */
        ProjectRemoved: {
            aliases: number;
            deployments: number;
            environments: number;
            name: string;
        };
        /** @description Never with values of variables. */
        Release: {
            /** @description The deployment that was released. */
            base: string;
            /** @description What was done and why, and why it failed if it did. */
            because: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            createdAt: string;
            createdBy: string;
            /** @description What runs: the base with the settings of the environment. */
            deployment: string;
            /** @description Only in the answer to what was asked: the release that was on trial, and is taken back by it. */
            endedTrial?: number;
            environment: string;
            /** @enum {string} */
            kind: "deploy" | "promote" | "rollback" | "variables" | "secrets" | "scale" | "limits" | "hostnames";
            number: number;
            /** @description Share of clients while it is on trial. */
            percent?: number;
            project: string;
            /** @description Versions of the secrets it names. */
            secrets: {
                [key: string]: number;
            };
            settings: {
                limits: {
                    /** @description In ms. */
                    duration?: number;
                    maxConcurrentReqs?: number;
                    /** @description In ms. */
                    timeout?: number;
                };
                /** @description Absent: what the deployment’s own configuration says. */
                scale?: {
                    max: number;
                    min: number;
                };
                /** @description Names, laid over those of the deployment. */
                variables: string[];
            };
            /** @enum {string} */
            state: "preparing" | "trial" | "current" | "superseded" | "failed";
            /**
             * Format: uri
             * @description Of the environment.
             */
            url: string;
        };
        Released: {
            /** @description The deployment that was released. */
            base: string;
            /** @description What was done and why, and why it failed if it did. */
            because: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            createdAt: string;
            createdBy: string;
            /** @description What runs: the base with the settings of the environment. */
            deployment: string;
            /** @description Only in the answer to what was asked: the release that was on trial, and is taken back by it. */
            endedTrial?: number;
            environment: string;
            /**
             * @description It is current and runs just this already: no release was made.
             * @constant
             */
            isStanding?: true;
            /** @enum {string} */
            kind: "deploy" | "promote" | "rollback" | "variables" | "secrets" | "scale" | "limits" | "hostnames";
            number: number;
            /** @description Share of clients while it is on trial. */
            percent?: number;
            project: string;
            /** @description Versions of the secrets it names. */
            secrets: {
                [key: string]: number;
            };
            settings: {
                limits: {
                    /** @description In ms. */
                    duration?: number;
                    maxConcurrentReqs?: number;
                    /** @description In ms. */
                    timeout?: number;
                };
                /** @description Absent: what the deployment’s own configuration says. */
                scale?: {
                    max: number;
                    min: number;
                };
                /** @description Names, laid over those of the deployment. */
                variables: string[];
            };
            /** @enum {string} */
            state: "preparing" | "trial" | "current" | "superseded" | "failed";
            /**
             * Format: uri
             * @description Of the environment.
             */
            url: string;
        };
        RotatedSecret: {
            /** @description Environments that run an older version until their next release. */
            behind: {
                environment: string;
                project: string;
                /** @description Its current release; absent: it runs nothing yet, but its variables name it. */
                release?: number;
                /** @description 1, 2, 3, …; never given twice. */
                version?: number;
            }[];
            secret: components["schemas"]["Secret"];
        };
        RotatedSecretsKey: {
            masterKeyId: string;
            values: number;
        };
        /** @description Never with a value. */
        Secret: {
            /**
             * Format: date-time
             * @description When its newest version was added.
             */
            createdAt: string;
            createdBy: string;
            /** @description Those that start with it, each with the version it was made with. */
            deployments: {
                id: string;
                /** @description 1, 2, 3, …; never given twice. */
                version: number;
            }[];
            environments: {
                environment: string;
                project: string;
                /** @description Its current release; absent: it runs nothing yet, but its variables name it. */
                release?: number;
                /** @description 1, 2, 3, …; never given twice. */
                version?: number;
            }[];
            name: string;
            team: string;
            /** @description The newest: what a new deployment takes. */
            version: number;
            versions: {
                /**
                 * Format: date-time
                 * @description ISO 8601, UTC.
                 */
                createdAt: string;
                createdBy: string;
                /** @description 1, 2, 3, …; never given twice. */
                version: number;
            }[];
        };
        SecretsKey: {
            /** @description What is wrong. */
            because?: string;
            /** @description Values that the key file does not open. */
            locked: number;
            /** @description Names the key in the key file; says nothing of it. */
            masterKeyId?: string;
            /**
             * @description `locked`: some values cannot be opened. `unused`: nothing is kept yet.
             * @enum {string}
             */
            state: "open" | "unused" | "locked";
            values: number;
        };
        SettingsChanged: {
            environment: components["schemas"]["Environment"];
            /** @description Absent: nothing changed, or nothing is released yet. */
            release?: components["schemas"]["Release"];
        };
        SettingsRelease: {
            /** @description Absent: nothing changed, or nothing is released there yet: then they wait. */
            release?: components["schemas"]["Release"];
        };
        Slot: {
            cpus: number;
            /** @description Whether this machine has that much. */
            fits: boolean;
            for: string;
            memoryMiB: number;
            name: string;
        };
        Status: {
            counts: {
                deployments: {
                    [key: string]: number;
                };
                instances: {
                    [key: string]: number;
                };
            };
            dataFolder: string;
            domain: string;
            engine: {
                cgroupVersion: 1 | 2;
                name: string;
                runtime: string;
                version: string;
            };
            /** @description How late the thread that serves requests was, since the last minute began. */
            eventLoopLagMs: {
                max: number;
                p50: number;
                p99: number;
            };
            listen: string;
            /** @description Absent: there is no TLS. */
            listenTls?: string;
            pid: number;
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            startedAt: string;
            version: string;
        };
        /** @description Data of the event `step` of a deploy. */
        StepEvent: {
            detail?: string;
            /** @description Absent when it is no longer known. */
            elapsedMs?: number;
            /** @enum {string} */
            name: "queue" | "files" | "build" | "image" | "boot";
            /** @enum {string} */
            state: "running" | "done" | "failed";
        };
        Team: {
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            createdAt: string;
            name: string;
            plan: string;
            projects: number;
            quota: {
                instances?: number;
                requests?: number;
            };
            /** @description Running instances, and requests in flight or waiting, now. */
            use: {
                instances: number;
                requests: number;
            };
        };
        /** @description Never with its value. */
        Token: {
            /** @description null: all that the role may. */
            can: ("read" | "audit" | "deploy" | "release" | "configure" | "remove" | "team" | "metrics" | "operate")[] | null;
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            createdAt: string;
            createdBy: string;
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             */
            expiresAt?: string;
            id: string;
            /**
             * @description Of a person who logged in, or made for a program.
             * @enum {string}
             */
            kind: "login" | "token";
            /**
             * Format: date-time
             * @description To the minute. Absent: never.
             */
            lastUsedAt?: string;
            name: string;
            /** @description null: all of the team. */
            projects: string[] | null;
            /** @enum {string} */
            role: "viewer" | "member" | "owner";
            /** @description null: all teams. */
            team: string | null;
        };
        Uploaded: {
            /** @description Name of the manifest: what a deployment is made of. */
            manifest: string;
            /** @description Blobs to be sent before the deploy. */
            missing: string[];
        };
        /** @description `@name` names a secret, `@@text` is a plain `@text`. */
        Variables: {
            [key: string]: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
