/* The loops of the backend `linalg` in C: one hidden or any number of layers, sigmoid, mse, float, one example at a time.
   compare.py builds this with -O3 -march=native and drives it through ctypes. */
#include <math.h>
#include <stddef.h>

static void affine(size_t inputs, size_t outputs, const float *restrict x, const float *restrict weights,
                   const float *restrict bias, float *restrict z)
{
    for (size_t j = 0; j < outputs; j++)
        z[j] = bias[j];
    for (size_t i = 0; i < inputs; i++)
        for (size_t j = 0; j < outputs; j++)
            z[j] += x[i] * weights[i * outputs + j];
}

static void add_outer(size_t inputs, size_t outputs, float scale, const float *restrict x,
                      const float *restrict delta, float *restrict weights, float *restrict bias)
{
    for (size_t i = 0; i < inputs; i++)
        for (size_t j = 0; j < outputs; j++)
            weights[i * outputs + j] += scale * x[i] * delta[j];
    for (size_t j = 0; j < outputs; j++)
        bias[j] += scale * delta[j];
}

static void delta_below(size_t inputs, size_t outputs, const float *restrict weights, const float *restrict delta,
                        const float *restrict a, float *restrict below)
{
    for (size_t i = 0; i < inputs; i++) {
        float total = 0;
        for (size_t j = 0; j < outputs; j++)
            total += weights[i * outputs + j] * delta[j];
        below[i] = total * a[i] * (1 - a[i]);
    }
}

/* One epoch of per-sample training. weights[l] and bias[l] are trained in place; a[l] and delta[l] hold one example. */
void train_epoch(size_t layers, const size_t *sizes, float **weights, float **bias, float **a, float **delta,
                 size_t rows, const float *x, const float *y, float rate)
{
    size_t outputs = sizes[layers];
    for (size_t row = 0; row < rows; row++) {
        const float *example = x + row * sizes[0];
        for (size_t l = 0; l < layers; l++) {
            affine(sizes[l], sizes[l + 1], l ? a[l - 1] : example, weights[l], bias[l], a[l]);
            for (size_t j = 0; j < sizes[l + 1]; j++)
                a[l][j] = 1 / (1 + expf(-a[l][j]));
        }
        for (size_t k = 0; k < outputs; k++) {
            float out = a[layers - 1][k];
            delta[layers - 1][k] = 2 * (out - y[row * outputs + k]) * out * (1 - out);
        }
        for (size_t l = layers - 1; l > 0; l--)
            delta_below(sizes[l], sizes[l + 1], weights[l], delta[l], a[l - 1], delta[l - 1]);
        for (size_t l = 0; l < layers; l++)
            add_outer(sizes[l], sizes[l + 1], -rate, l ? a[l - 1] : example, delta[l], weights[l], bias[l]);
    }
}
