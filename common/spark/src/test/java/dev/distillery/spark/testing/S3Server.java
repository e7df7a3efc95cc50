package dev.distillery.spark.testing;

import dev.distillery.core.testing.ChildProcess;
import dev.distillery.core.testing.PythonPackage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A server that speaks S3 over HTTP (moto), in a process of its own, with one empty bucket called
 * {@link #BUCKET}. Where pip cannot bring it, the test is skipped, with a loud message.
 */
public final class S3Server implements AutoCloseable {
  public static final String BUCKET = "warehouse";

  private static final String VERSION = "5.2.5";

  private static final String SCRIPT =
      """
      import sys
      sys.path.insert(0, sys.argv[1])
      import boto3
      from moto.server import ThreadedMotoServer
      server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
      server.start()
      address = "http://%s:%d" % server.get_host_and_port()
      boto3.client("s3", endpoint_url=address, region_name="us-east-1",
                   aws_access_key_id="test", aws_secret_access_key="test").create_bucket(Bucket=sys.argv[2])
      print("ADDRESS " + address, flush=True)
      sys.stdin.read()
      """;

  private final ChildProcess process;
  private final String address;

  private S3Server(ChildProcess process) {
    this.process = process;
    this.address = process.await("ADDRESS");
  }

  /** Starts the server and waits until the bucket is there. */
  public static S3Server start() {
    Path library = PythonPackage.folder("moto", "server,s3", VERSION);
    try {
      return new S3Server(
          ChildProcess.start(
              List.of("python3", "-c", SCRIPT, library.toString(), BUCKET),
              Files.createTempFile("s3-server", ".log")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Spark settings by which {@code s3a://} means this server. */
  public Map<String, String> settings() {
    return Map.of(
        "spark.hadoop.fs.s3a.endpoint", address,
        "spark.hadoop.fs.s3a.endpoint.region", "us-east-1",
        "spark.hadoop.fs.s3a.path.style.access", "true");
  }

  /** The environment of a process that may use it. */
  public Map<String, String> environment() {
    return Map.of("AWS_ACCESS_KEY_ID", "test", "AWS_SECRET_ACCESS_KEY", "test");
  }

  /** Keys of the objects whose key begins so; a thousand at most. */
  public List<String> keys(String prefix) throws IOException, InterruptedException {
    var list =
        HttpRequest.newBuilder(URI.create(address + "/" + BUCKET + "?list-type=2&prefix=" + prefix))
            .build();
    String answer =
        HttpClient.newHttpClient().send(list, HttpResponse.BodyHandlers.ofString()).body();
    return Pattern.compile("<Key>([^<]*)</Key>")
        .matcher(answer)
        .results()
        .map(key -> key.group(1))
        .toList();
  }

  @Override
  public void close() {
    process.close();
  }
}
