import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;

/** Tokens read and written a second by llama.cpp in this JVM, for a number of threads: Threads MODEL COUNT. */
public final class Threads {
  private static final int WRITTEN = 100;

  private Threads() {}

  public static void main(String[] args) throws Exception {
    int threads = Integer.parseInt(args[1]);
    var model =
        new LlamaModel(
            new ModelParameters()
                .setModel(args[0])
                .setCtxSize(4096)
                .setParallel(1)
                .setThreads(threads)
                .setThreadsBatch(threads)
                .disableLog());
    String prompt = "The quick brown fox jumps over the lazy dog. ".repeat(40);
    int read = model.encode(prompt).length;
    for (int round = 0; round < 3; round++) {
      var request =
          new InferenceParameters(prompt)
              .setCachePrompt(false)
              .setNPredict(WRITTEN)
              .setTemperature(0)
              .setIgnoreEos(true);
      long start = System.nanoTime();
      long first = 0;
      for (var unused : model.generate(request)) {
        first = first == 0 ? System.nanoTime() : first;
      }
      long end = System.nanoTime();
      System.out.printf(
          "%d threads: read %.0f tokens a second, wrote %.1f%n",
          threads, read / ((first - start) / 1e9), WRITTEN / ((end - first) / 1e9));
    }
    // The library keeps a thread that is not a daemon.
    System.exit(0);
  }
}
