"""MediaService: decodes, calls one use case, encodes."""

import grpc

from gochat_contracts.logic import media_pb2, media_pb2_grpc
from logic.media.create_upload import create_upload
from logic.media.get_media import get_media
from logic.media.ports import MediaPorts
from logic.rpc.calls import caller, draw_id

Context = grpc.ServicerContext


class MediaService(media_pb2_grpc.MediaServiceServicer):
    """Uploads and downloads over gRPC; errors are rendered by the boundary around it."""

    def __init__(self, ports: MediaPorts) -> None:
        self._ports = ports

    def CreateUpload(self, request: media_pb2.CreateUploadRequest, context: Context) -> media_pb2.CreateUploadResponse:  # noqa: N802, ARG002
        """Sign an upload of the caller's."""
        upload = create_upload(
            self._ports, caller().user_id, mime=request.mime, size=request.size, random=draw_id("media")
        )
        return media_pb2.CreateUploadResponse(
            media_id=upload.media.media_id,
            upload_url=upload.url,
            headers=upload.headers,
            expires_in_s=upload.expires_s,
        )

    def GetMedia(self, request: media_pb2.GetMediaRequest, context: Context) -> media_pb2.GetMediaResponse:  # noqa: N802, ARG002
        """Sign a download."""
        download = get_media(self._ports, request.media_id)
        return media_pb2.GetMediaResponse(url=download.url, expires_in_s=download.expires_s)
