// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport

/// A real nginx that spreads requests over replicas and asks the next one when one is away or not ready.
enum ReplicaBalancer {
    static func with<Value>(ports: [Int], _ body: (Int) async throws -> Value) async throws -> Value {
        let folder = try TemporaryDirectory()
        let port = try FreePort.next()
        let prefix = try folder.makeFolder("nginx")
        let file = try folder.write(config(ports: ports, port: port), to: "nginx.conf")
        return try await PeerProcess.with(
            name: "nginx", executable: PeerPaths.path(of: .nginx),
            arguments: ["-e", "stderr", "-p", prefix, "-c", file], folder: folder
        ) { process in
            try await process.wait(forPort: port)
            return try await body(port)
        }
    }

    private static func config(ports: [Int], port: Int) -> String {
        """
        daemon off;
        worker_processes 1;
        pid nginx.pid;
        events { worker_connections 1024; }
        http {
            access_log off;
            client_body_temp_path client_temp;
            proxy_temp_path proxy_temp;
            fastcgi_temp_path fastcgi_temp;
            uwsgi_temp_path uwsgi_temp;
            scgi_temp_path scgi_temp;
            upstream replicas {
        \(ports.map { "        server 127.0.0.1:\($0) max_fails=1 fail_timeout=1s;" }.joined(separator: "\n"))
                keepalive 16;
            }
            server {
                listen 127.0.0.1:\(port);
                keepalive_requests 1000000;
                location / {
                    proxy_pass http://replicas;
                    proxy_http_version 1.1;
                    proxy_set_header Connection "";
                    proxy_next_upstream error timeout http_503;
                    proxy_next_upstream_tries \(ports.count);
                    proxy_connect_timeout 2s;
                }
            }
        }
        """
    }
}
