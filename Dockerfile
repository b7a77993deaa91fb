# The page, on a machine without a graphics card:
#   docker build -t recon . && docker run --rm -p 127.0.0.1:7860:7860 recon
FROM python:3.11-slim-bookworm

# What the wheels of Open3D and OpenCV link against, and nothing else.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libegl1 libglib2.0-0 libgomp1 libx11-6 libudev1 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/recon
COPY pyproject.toml constraints.txt README.md LICENSE ./
# torch first and alone, as a build without CUDA; everything else then leaves it as it is.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --no-cache-dir torch -c constraints.txt --index-url $TORCH_INDEX
COPY recon recon
COPY models models
COPY app app
COPY configs configs
COPY datasets/sample datasets/sample
RUN pip install --no-cache-dir -e '.[heif]' -c constraints.txt

RUN useradd --create-home recon
USER recon
WORKDIR /home/recon
# Compiled kernels of the rasteriser; also where the rest of the file system is read-only.
ENV NUMBA_CACHE_DIR=/tmp/numba
EXPOSE 7860
# Inside the container every address is its own; which machines reach it is said by -p.
CMD ["recon", "app", "--host", "0.0.0.0", "--no-browser"]
