package dev.distillery.core.teacher.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
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

/**
 * llama.cpp's own OpenAI-compatible server in a process of its own, out of the Python package
 * xllamacpp, which is installed once a user into the cache folder. The model's name is {@link
 * #MODEL}.
 */
public final class LlamaCppServer implements AutoCloseable {
  /** What the server calls its model. */
  public static final String MODEL = "smollm2";

  /** Tokens of one slot's context. */
  public static final int CONTEXT = 2048;

  private static final String PACKAGE = "xllamacpp";
  private static final String VERSION = "2026.10.11549";

  /** Ends when standard input does, so that it never outlives the test. */
  private static final String SCRIPT =
      """
      import sys
      sys.path.insert(0, sys.argv[1])
      import xllamacpp
      params = xllamacpp.CommonParams()
      params.model.path = sys.argv[2]
      params.model_alias = {sys.argv[3]}
      # One thread: several would spin while they wait for each other on a busy machine.
      params.cpuparams.n_threads = 1
      params.cpuparams_batch.n_threads = 1
      params.n_parallel = 4
      params.n_ctx = 4 * int(sys.argv[4])
      params.hostnames = ["127.0.0.1"]
      params.port = 0
      params.verbosity = -1
      if sys.argv[5] == "float32":
          # Keys and values as they are computed, and scores too.
          params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
          params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
      server = xllamacpp.Server(params)
      print("ADDRESS " + server.listening_address, flush=True)
      sys.stdin.read()
      """;

  private final ChildProcess process;
  private final String address;

  private LlamaCppServer(ChildProcess process) {
    this.process = process;
    this.address = process.await("ADDRESS");
  }

  /**
   * Starts the server with the model and waits until it answers. Where pip cannot bring the
   * package, the test is skipped, with a loud message.
   */
  public static LlamaCppServer start(Path model) {
    return start(model, "float16");
  }

  /** {@link #start} with keys and values in float32, to compare what is computed. */
  public static LlamaCppServer startInFloat32(Path model) {
    return start(model, "float32");
  }

  private static LlamaCppServer start(Path model, String cache) {
    Path library = PythonPackage.folder(PACKAGE, "", VERSION, "--only-binary", ":all:");
    try {
      return new LlamaCppServer(
          ChildProcess.start(
              List.of(
                  "python3",
                  "-c",
                  SCRIPT,
                  library.toString(),
                  model.toString(),
                  MODEL,
                  Integer.toString(CONTEXT),
                  cache),
              Files.createTempFile("llama-cpp-server", ".log")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The base URL for a client. */
  public String baseUrl() {
    return address + "/v1";
  }

  /** The greedy tokens after these, an end of the text left out of the choice. */
  public int[] greedy(int[] prompt, int length) throws IOException {
    ObjectMapper json = new ObjectMapper();
    byte[] body =
        json.writeValueAsBytes(
            Map.of(
                "prompt",
                prompt,
                "n_predict",
                length,
                "temperature",
                0,
                "ignore_eos",
                true,
                "cache_prompt",
                false,
                "return_tokens",
                true));
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(address + "/completion"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(body))
            .build();
    try {
      HttpResponse<byte[]> response =
          HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofByteArray());
      return json.convertValue(json.readTree(response.body()).get("tokens"), int[].class);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  @Override
  public void close() {
    process.close();
  }
}
