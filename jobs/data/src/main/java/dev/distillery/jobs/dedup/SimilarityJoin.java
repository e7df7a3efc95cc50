package dev.distillery.jobs.dedup;

import dev.distillery.core.text.Match;
import dev.distillery.core.text.SimilarityIndex;
import dev.distillery.core.text.TokenList;
import dev.distillery.core.text.WordNumbers;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.spark.HashPartitioner;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;
import org.jspecify.annotations.Nullable;
import scala.Tuple2;

/**
 * The gate over distinct token lists on Spark: the same exclusions as {@link PlainGate}, without
 * any stage that holds all lists.
 *
 * <ol>
 *   <li>Elements are counted, and numbered from the most frequent on. What stands in one list only
 *       can match nothing and gets no number.
 *   <li>Every element belongs to one part of the index. A list is sent, packed, to the parts that
 *       own an element of its prefix.
 *   <li>A part takes its lists in their order, and looks each up among those before it. At most
 *       {@code limit} earliest neighbours leave a part for a list, so that a hundred thousand lists
 *       which are all similar give a few neighbours each and not their square.
 *   <li>{@link GreedyChoice} passes once over the neighbours. If a list stays open (its first
 *       {@code limit} neighbours were all excluded), the excluded lists are taken out and all is
 *       done again with a larger limit.
 * </ol>
 */
final class SimilarityJoin {
  /** Enough that a second pass is rare; each neighbour is 16 bytes of shuffle. */
  private static final int FIRST_LIMIT = 16;

  private static final int LIMIT_GROWTH = 16;

  /** In how many parts a list of a dozen tokens has elements of its prefix, about. */
  private static final int COPIES = 3;

  /** Copies of lists that a part holds at a time, about: some hundred bytes each. */
  private static final int LISTS_OF_A_PART = 250_000;

  private final double threshold;
  private final long pinned;
  private final int firstLimit;

  /**
   * @param pinned lists of a lower ordinal are kept whatever they are similar to
   */
  SimilarityJoin(double threshold, long pinned) {
    this(threshold, pinned, FIRST_LIMIT);
  }

  SimilarityJoin(double threshold, long pinned, int firstLimit) {
    this.threshold = threshold;
    this.pinned = pinned;
    this.firstLimit = firstLimit;
  }

  /**
   * The lists that an earlier kept one excludes.
   *
   * @param lists ordinal (long) and tokens (words with a space between two), distinct and not empty
   */
  List<JavaRDD<Exclusion>> exclusions(Dataset<Row> lists) {
    JavaPairRDD<Long, String> remaining = sliced(lists);
    List<JavaRDD<Exclusion>> passes = new ArrayList<>();
    for (int limit = firstLimit; ; limit = Math.multiplyExact(limit, LIMIT_GROWTH)) {
      JavaRDD<GreedyChoice.Decision> decisions = pass(remaining, limit);
      long open = decisions.filter(decision -> decision.exclusion().isEmpty()).count();
      JavaRDD<Exclusion> excluded =
          decisions
              .filter(decision -> decision.exclusion().isPresent())
              .map(decision -> decision.exclusion().orElseThrow());
      long firstFree = pinned;
      JavaRDD<Exclusion> dropped = excluded.filter(each -> each.ordinal() >= firstFree);
      // Pinned lists are looked at again in each pass, with the same result.
      passes.add(passes.isEmpty() ? excluded : dropped);
      if (open == 0) {
        return passes;
      }
      remaining =
          remaining.subtractByKey(dropped.mapToPair(each -> new Tuple2<>(each.ordinal(), true)));
    }
  }

  /**
   * For each list the others that are most similar to it, of those above the threshold. Takes time
   * in proportion to all pairs that are above it: a hundred thousand lists of one template are five
   * thousand million.
   *
   * @param lists as for {@link #exclusions}
   * @param most at most so many for a list
   */
  JavaPairRDD<Long, NearestTexts> nearest(Dataset<Row> lists, int most) {
    JavaPairRDD<Long, String> all = sliced(lists);
    Broadcast<Elements> elements =
        JavaSparkContext.fromSparkContext(all.context()).broadcast(countElements(all));
    int parts = parts(all.context().defaultParallelism(), lists.count());
    double above = threshold;
    return all.mapPartitionsToPair(each -> new Router(each, elements.value(), parts, above))
        .partitionBy(new HashPartitioner(parts))
        .mapPartitionsToPair(packed -> pairsOfPart(packed, above, parts))
        .aggregateByKey(new NearestTexts(most), NearestTexts::plus, NearestTexts::plus);
  }

  private static JavaPairRDD<Long, String> sliced(Dataset<Row> lists) {
    // Hundreds of small partitions would cost their square in shuffle files.
    int slices = parts(lists.sparkSession().sparkContext().defaultParallelism(), lists.count());
    return lists
        .select("ordinal", "tokens")
        .toJavaRDD()
        .coalesce(slices)
        .mapToPair(row -> new Tuple2<>(row.getLong(0), row.getString(1)));
  }

  private JavaRDD<GreedyChoice.Decision> pass(JavaPairRDD<Long, String> lists, int limit) {
    Broadcast<Elements> elements =
        JavaSparkContext.fromSparkContext(lists.context()).broadcast(countElements(lists));
    int parts = parts(lists.context().defaultParallelism(), lists.count());
    double above = threshold;
    long firstFree = pinned;
    JavaRDD<GreedyChoice.Decision> decisions =
        lists
            .mapPartitionsToPair(each -> new Router(each, elements.value(), parts, above))
            .partitionBy(new HashPartitioner(parts))
            .mapPartitionsToPair(packed -> joinPart(packed, above, parts, limit))
            .repartitionAndSortWithinPartitions(new HashPartitioner(1))
            .mapPartitions(found -> new GreedyChoice(found, firstFree, limit))
            .persist(StorageLevel.MEMORY_AND_DISK());
    decisions.count();
    // Kept on the driver as long as the decisions are: those of a lost executor are made again.
    elements.unpersist();
    return decisions;
  }

  private static int parts(int parallelism, long lists) {
    return (int) Math.max(parallelism, lists * COPIES / LISTS_OF_A_PART + 1);
  }

  /** The numbers of all elements that stand in at least two lists. */
  private static Elements countElements(JavaPairRDD<Long, String> lists) {
    List<Tuple2<String, Integer>> counts =
        lists
            .mapPartitionsToPair(SimilarityJoin::countOfPartition)
            .reduceByKey(Integer::sum, lists.getNumPartitions())
            .filter(count -> count._2() > 1)
            .collect();
    return new Elements(
        counts.stream()
            .sorted(
                Comparator.<Tuple2<String, Integer>>comparingInt(count -> -count._2())
                    .thenComparing(Tuple2::_1))
            .map(Tuple2::_1)
            .toArray(String[]::new));
  }

  private static Iterator<Tuple2<String, Integer>> countOfPartition(
      Iterator<Tuple2<Long, String>> lists) {
    Map<String, Integer> counts = new HashMap<>();
    while (lists.hasNext()) {
      for (String element : WordNumbers.elementsOf(ComparedRows.words(lists.next()._2()))) {
        counts.merge(element, 1, Integer::sum);
      }
    }
    Function<Map.Entry<String, Integer>, Tuple2<String, Integer>> pair =
        entry -> new Tuple2<>(entry.getKey(), entry.getValue());
    return counts.entrySet().stream().map(pair).iterator();
  }

  private static int owner(int element, int parts) {
    return Math.floorMod(element * 0x9E3779B9, parts);
  }

  private static Iterator<Tuple2<Long, Neighbours>> joinPart(
      Iterator<Tuple2<Integer, int[]>> packed, double threshold, int parts, int limit) {
    if (!packed.hasNext()) {
      return List.<Tuple2<Long, Neighbours>>of().iterator();
    }
    Part part = Part.unpacked(packed, threshold, parts);
    List<Place> places = part.places();
    SimilarityIndex index = part.index();
    Function<Place, Tuple2<Long, Neighbours>> lookUp =
        place -> {
          List<Match> matches = index.above(place.list(), limit);
          index.add(place.list());
          return new Tuple2<>(place.ordinal(), neighbours(matches, places, limit));
        };
    return places.stream().map(lookUp).filter(found -> found._2().ordinals().length > 0).iterator();
  }

  private static Iterator<Tuple2<Long, NearestTexts.Near>> pairsOfPart(
      Iterator<Tuple2<Integer, int[]>> packed, double threshold, int parts) {
    if (!packed.hasNext()) {
      return List.<Tuple2<Long, NearestTexts.Near>>of().iterator();
    }
    Part part = Part.unpacked(packed, threshold, parts);
    Function<Place, Stream<Tuple2<Long, NearestTexts.Near>>> lookUp =
        place -> {
          List<Match> matches = part.index().above(place.list(), Integer.MAX_VALUE);
          part.index().add(place.list());
          return matches.stream()
              .flatMap(
                  match -> {
                    long earlier = part.places().get(match.member()).ordinal();
                    return Stream.of(
                        new Tuple2<>(
                            earlier, new NearestTexts.Near(place.ordinal(), match.score())),
                        new Tuple2<>(
                            place.ordinal(), new NearestTexts.Near(earlier, match.score())));
                  });
        };
    return part.places().stream().flatMap(lookUp).iterator();
  }

  /** The lists of one part in their order, and its index, which is still empty. */
  private record Part(List<Place> places, SimilarityIndex index) {
    static Part unpacked(Iterator<Tuple2<Integer, int[]>> packed, double threshold, int parts) {
      List<Place> places = new ArrayList<>();
      int[] number = new int[1];
      while (packed.hasNext()) {
        Tuple2<Integer, int[]> chunk = packed.next();
        number[0] = chunk._1();
        TokenListCodec.unpack(chunk._2(), (ordinal, list) -> places.add(new Place(ordinal, list)));
      }
      places.sort(Comparator.comparingLong(Place::ordinal));
      return new Part(
          places, new SimilarityIndex(threshold, element -> owner(element, parts) == number[0]));
    }
  }

  private record Place(long ordinal, TokenList list) {}

  private static Neighbours neighbours(List<Match> matches, List<Place> places, int limit) {
    long[] ordinals = new long[matches.size()];
    double[] scores = new double[matches.size()];
    for (int i = 0; i < ordinals.length; i++) {
      ordinals[i] = places.get(matches.get(i).member()).ordinal();
      scores[i] = matches.get(i).score();
    }
    return new Neighbours(ordinals, scores, ordinals.length == limit);
  }

  /** The elements in the order of their numbers; the vocabulary is built once in every JVM. */
  private static final class Elements implements Serializable {
    private static final long serialVersionUID = 1L;

    private final String[] names;
    private transient @Nullable WordNumbers vocabulary;

    Elements(String[] names) {
      this.names = names;
    }

    synchronized WordNumbers vocabulary() {
      if (vocabulary == null) {
        vocabulary = new WordNumbers(Arrays.asList(names));
      }
      return vocabulary;
    }
  }

  /** Encodes lists and sends each to the parts that own an element of its prefix. */
  private static final class Router implements Iterator<Tuple2<Integer, int[]>> {
    private final Iterator<Tuple2<Long, String>> lists;
    private final WordNumbers vocabulary;
    private final double threshold;
    private final TokenListCodec.Packer[] packers;
    private final List<Tuple2<Integer, int[]>> ready = new ArrayList<>();

    Router(Iterator<Tuple2<Long, String>> lists, Elements elements, int parts, double threshold) {
      this.lists = lists;
      this.vocabulary = elements.vocabulary();
      this.threshold = threshold;
      packers = new TokenListCodec.Packer[parts];
      Arrays.setAll(packers, part -> new TokenListCodec.Packer());
    }

    @Override
    public boolean hasNext() {
      while (ready.isEmpty() && lists.hasNext()) {
        Tuple2<Long, String> next = lists.next();
        send(next._1(), vocabulary.encode(ComparedRows.words(next._2())));
        if (!lists.hasNext()) {
          for (int part = 0; part < packers.length; part++) {
            if (!packers[part].isEmpty()) {
              ready.add(new Tuple2<>(part, packers[part].take()));
            }
          }
        }
      }
      return !ready.isEmpty();
    }

    @Override
    public Tuple2<Integer, int[]> next() {
      if (!hasNext()) {
        throw new java.util.NoSuchElementException();
      }
      return ready.remove(ready.size() - 1);
    }

    private void send(long ordinal, TokenList list) {
      int prefix = SimilarityIndex.prefix(threshold, list);
      int[] owners = new int[prefix];
      for (int i = 0; i < prefix; i++) {
        owners[i] = owner(list.elements()[i], packers.length);
      }
      Arrays.stream(owners)
          .distinct()
          .filter(owner -> packers[owner].add(ordinal, list))
          .forEach(owner -> ready.add(new Tuple2<>(owner, packers[owner].take())));
    }
  }
}
