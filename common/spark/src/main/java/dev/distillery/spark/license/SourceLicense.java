package dev.distillery.spark.license;

import java.io.Serializable;

/**
 * The terms that a source stands under.
 *
 * @param source the source's name
 * @param spdx SPDX expression that its rows carry, or NOASSERTION
 * @param terms what the license asks for, in a sentence
 * @param url where the source and its license are published
 * @param attribution who has to be named where rows are passed on
 * @param commercialUse whether the license allows it
 * @param providerTerms terms of the model provider whose output the source holds; empty where it
 *     holds none
 */
public record SourceLicense(
    String source,
    String spdx,
    String terms,
    String url,
    Attribution attribution,
    CommercialUse commercialUse,
    String providerTerms)
    implements Serializable {

  /** Who has to be named. */
  public enum Attribution {
    /** Nobody. */
    NONE,
    /** The source as a whole. */
    SOURCE,
    /** The author of each piece, with a link to it. */
    EACH_AUTHOR
  }

  /** Whether a use for profit is allowed. */
  public enum CommercialUse {
    YES,
    NO,
    /** The publisher does not say, or was in no position to say. Treated as no. */
    UNCLEAR
  }
}
