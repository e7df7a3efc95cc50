package dev.distillery.training.rollout;

import java.io.Serializable;

/**
 * What is said of the tokens of one answer at rollout time.
 *
 * @param logProbs of the policy, by the pass that training makes, [tokens]
 * @param refLogProbs of the reference, [tokens]
 * @param values [tokens]; 0 without a critic
 * @param entropies of the policy, [tokens]
 */
@SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
record Figures(float[] logProbs, float[] refLogProbs, float[] values, float[] entropies)
    implements Serializable {}
